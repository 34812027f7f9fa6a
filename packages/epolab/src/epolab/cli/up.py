"""`epolab up`: bring a lab to its declaration."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from epolab.cli.output import Output
from epolab.cli.progress import PeopleProgress
from epolab.cli.tables import show_lab

SUMMARY = "bring a lab to its declaration: build, wire, measure, deploy, wait until ready"
EXAMPLES = "  epolab up topologies/quickstart.yaml\n  epolab up topologies/minimal.yaml --name try --ttl 2h"
INTERRUPTED = "the lab is resumable as far as it came: the same command goes on, `epolab down` removes it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this verb."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the topology")
    parser.add_argument("--name", metavar="N", help="the lab's name (default: the topology's)")
    parser.add_argument("--ttl", metavar="TIME", help="the lab's lease, such as 4h: then `sweep` removes it")
    parser.add_argument("--attached", action="store_true", help="remove the lab when standard input ends, or on Ctrl-C")
    parser.add_argument("--keep-on-failure", action="store_true", help="with --attached: keep a lab that failed")
    parser.add_argument("--no-deploy", action="store_true", help="build and wire only; no roles")


def run(args: argparse.Namespace, out: Output) -> int:
    """Do it."""
    from epolab.steps.attached import attached
    from epolab.steps.up import Wish, up

    wish = Wish(args.file, args.name, args.ttl, deploy=not args.no_deploy)
    with PeopleProgress(out) as progress:
        document = (
            attached(wish, progress, keep_on_failure=args.keep_on_failure, wait=lambda d: _wait(out, d))
            if args.attached
            else up(wish, progress)
        )
    out.document(document)
    if not args.attached:
        show_lab(out, document)
    return 0


def _wait(out: Output, document: dict[str, Any]) -> None:
    show_lab(out, document)
    out.say("attached: the lab lives until this input ends (Ctrl-D or Ctrl-C)")
    for _line in sys.stdin:
        continue
