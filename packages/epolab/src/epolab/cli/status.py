"""`epolab status`: a lab against its declaration."""

from __future__ import annotations

import argparse

from epolab.cli.output import Output
from epolab.hands.docker import Docker
from epolab.steps.inspect import status
from epolab.steps.labs import own_labs
from epolab.steps.names import owner_name, pick_lab

SUMMARY = "a lab's state, and where it is not as declared"
EXAMPLES = "  epolab status\n  epolab status quickstart --json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this verb."""
    parser.add_argument("lab", nargs="?", metavar="LAB", help="the lab (may be left out when there is one)")


def run(args: argparse.Namespace, out: Output) -> int:
    """Do it."""
    docker = Docker.connect()
    document = status(docker, pick_lab(args.lab, own_labs(docker, owner_name())))
    out.document(document)
    out.show(f"{document['lab']}: {document['state']}")
    for drift in document["drift"]:
        out.show(f"  {drift['what']}: expected {drift['expected']}, observed {drift['observed']}")
    return 0
