"""`epolab sweep`: remove labs whose lease is over or that nobody will finish."""

from __future__ import annotations

import argparse
import sys

from epolab.cli.output import Output
from epolab.hands.docker import Docker
from epolab.steps.down import Removal
from epolab.steps.names import owner_name
from epolab.steps.sweep import doomed_labs, sweep

SUMMARY = "remove your labs that have expired, or whose making was interrupted for good"
EXAMPLES = "  epolab sweep\n  epolab sweep --all"
INTERRUPTED = "what was removed stays removed; the same command removes the rest"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this verb."""
    parser.add_argument("--all", action="store_true", help="all labs of yours, healthy ones too (asks on a terminal)")


def run(args: argparse.Namespace, out: Output) -> int:
    """Do it."""
    docker, owner = Docker.connect(), owner_name()
    if args.all and sys.stdin.isatty() and not _agreed(out, doomed_labs(docker, owner, every=True)):
        out.document({"removed": [], "left": []})
        return 0
    removal = Removal()
    try:
        sweep(docker, owner, every=args.all, say=out.say, total=removal)
    finally:
        out.document(removal.document())
    out.show(f"removed {len(removal.removed)} containers, {len(removal.left)} left")
    return 0


def _agreed(out: Output, labs: list[str]) -> bool:
    if not labs:
        return True
    out.say(f"remove all of these labs: {', '.join(labs)}? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
