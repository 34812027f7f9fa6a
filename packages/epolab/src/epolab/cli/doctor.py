"""`epolab doctor`: what this host can do, what is missing, and the command that mends it."""

from __future__ import annotations

import argparse
from pathlib import Path

from epolab.cli.output import Output
from epolab.errors import HostError
from epolab.steps.doctor import examine
from epolab.topology import load_topology

SUMMARY = "say what this host can do and what is missing"
EXAMPLES = "  epolab doctor\n  epolab doctor --for topologies/quickstart.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For which topology."""
    parser.add_argument("--for", dest="topology", metavar="FILE", type=Path, help="what this topology needs")


def run(args: argparse.Namespace, out: Output) -> int:
    """Make all checks; the exit code is 3 if one fails."""
    found = examine(load_topology(args.topology) if args.topology else None)
    healthy = all(check.ok for check in found)
    documents = [check.document() for check in found]
    out.document({"ok": healthy, "checks": documents})
    rows = [("ok" if check["ok"] else "MISSING", check["name"], check["observed"]) for check in documents]
    out.table("", ("", "check", "observed"), rows)
    for check in documents:
        if not check["ok"]:
            out.show(f"{check['name']}: {check['hint']}")
    return 0 if healthy else HostError.exit_code
