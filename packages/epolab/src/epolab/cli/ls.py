"""`epolab ls`: the labs there are."""

from __future__ import annotations

import argparse

from epolab.cli.output import Output
from epolab.hands.docker import Docker
from epolab.steps.inspect import list_labs
from epolab.steps.names import owner_name

SUMMARY = "list your labs"
EXAMPLES = "  epolab ls\n  epolab ls --json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No words of its own."""


def run(args: argparse.Namespace, out: Output) -> int:
    """Do it."""
    labs = list_labs(Docker.connect(), owner_name())
    out.document(labs)
    rows = [
        (lab["lab"], lab["state"], lab["owner"], lab["created"] or "-", lab["expires"] or "never", str(lab["nodes"]))
        for lab in labs
    ]
    out.table("", ("lab", "state", "owner", "created", "expires", "nodes"), rows)
    return 0
