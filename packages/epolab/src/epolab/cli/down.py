"""`epolab down`: remove a lab."""

from __future__ import annotations

import argparse

from epolab.cli.output import Output
from epolab.hands.docker import Docker
from epolab.steps.down import Removal, take_down
from epolab.steps.labs import own_labs
from epolab.steps.names import checked_lab_name, owner_name, pick_lab

SUMMARY = "remove a lab and everything of it, in any phase"
EXAMPLES = "  epolab down\n  epolab down quickstart"
INTERRUPTED = "what was removed stays removed; the same command removes the rest"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this verb."""
    parser.add_argument("lab", nargs="?", metavar="LAB", help="the lab (may be left out when there is one)")


def run(args: argparse.Namespace, out: Output) -> int:
    """Do it."""
    docker, owner = Docker.connect(), owner_name()
    labs = own_labs(docker, owner) if args.lab is None else {}
    lab = checked_lab_name(args.lab) if args.lab is not None else pick_lab(None, labs) if labs else None
    removal = Removal()
    try:
        if lab is not None:
            take_down(docker, lab, owner, out.say, removal)
    finally:
        out.document(removal.document())
    out.show(f"removed {lab}: {len(removal.removed)} containers, nothing left" if removal.removed else "nothing to do")
    return 0
