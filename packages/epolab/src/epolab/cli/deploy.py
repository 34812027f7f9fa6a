"""`epolab deploy`: apply the roles again."""

from __future__ import annotations

import argparse

from epolab.cli.output import Output
from epolab.cli.progress import PeopleProgress
from epolab.cli.tables import show_nodes, show_timings

SUMMARY = "apply the roles again; nodes whose inputs did not change are skipped"
EXAMPLES = "  epolab deploy\n  epolab deploy quickstart --force"
INTERRUPTED = "the lab is resumable: the same command goes on with the nodes that were not reached"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this verb."""
    parser.add_argument("lab", nargs="?", metavar="LAB", help="the lab (may be left out when there is one)")
    parser.add_argument("--force", action="store_true", help="all nodes")


def run(args: argparse.Namespace, out: Output) -> int:
    """Do it."""
    from epolab.steps.redeploy import redeploy

    with PeopleProgress(out) as progress:
        document = redeploy(args.lab, force=args.force, progress=progress)
    out.document(document)
    show_nodes(out, document)
    show_timings(out, document)
    return 0
