"""`epolab cp`: copy to or from a node."""

from __future__ import annotations

import argparse

from epolab.cli.output import Output
from epolab.steps.node import copy

SUMMARY = "copy files to or from a node"
EXAMPLES = "  epolab cp notes.txt tokyo-pc-1:/root/\n  epolab cp quickstart:tokyo/tokyo-pc-1:/etc/hosts ."
INTERRUPTED = "the copy may be incomplete; the same command makes it whole"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this verb."""
    parser.add_argument("source", metavar="SRC")
    parser.add_argument("destination", metavar="DST", help="[LAB:]NODE:PATH, or a path of this host")


def run(args: argparse.Namespace, out: Output) -> int:
    """Do it."""
    copy(args.source, args.destination)
    out.document({"source": args.source, "destination": args.destination})
    return 0
