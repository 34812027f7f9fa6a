"""`epolab ssh`: a shell or a command on a node."""

from __future__ import annotations

import argparse
import sys

from epolab.cli.output import Output
from epolab.steps.node import attach, capture, find_target

SUMMARY = "a shell or a command on a node, over the container runtime"
EXAMPLES = "  epolab ssh tokyo/tokyo-pc-1\n  epolab ssh quickstart:india-pc-1 ip -br address"
INTERRUPTED = "what the command did on the node stays done"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this verb."""
    parser.add_argument("node", metavar="[LAB:]NODE")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="CMD", help="without it, a shell")


def run(args: argparse.Namespace, out: Output) -> int:
    """Do it; the exit code is the command's."""
    target = find_target(args.node)
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not out.json_wanted:
        return attach(target, command, terminal=sys.stdin.isatty() and not command)
    done = capture(target, command)
    document = {"lab": target.lab, "node": target.path, "exit_code": done.exit_code}
    out.document(document | {"stdout": done.text, "stderr": done.stderr.decode(errors="replace")})
    return done.exit_code
