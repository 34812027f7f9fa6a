"""`epolab logs`: the logs of a node's services."""

from __future__ import annotations

import argparse

from epolab.cli.output import Output
from epolab.errors import CommandFailedError
from epolab.hands.run import is_reader_gone
from epolab.steps.node import Target, attach, capture, find_target, log_command

SUMMARY = "the logs of a node's services"
EXAMPLES = "  epolab logs hq/epo\n  epolab logs tokyo-pc-1 cmdagent -f"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this verb."""
    parser.add_argument("node", metavar="[LAB:]NODE")
    parser.add_argument("service", nargs="?", metavar="SERVICE", help="only this service")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as lines come")
    parser.add_argument("-n", "--lines", type=int, default=200, metavar="N", help="the last N lines (default: 200)")


def run(args: argparse.Namespace, out: Output) -> int:
    """Do it."""
    target = find_target(args.node)
    follow = args.follow and not out.json_wanted
    command = log_command(target, args.service, follow=follow, lines=args.lines)
    if not out.json_wanted:
        code = attach(target, command)
        return 0 if is_reader_gone() else _read(target, code)  # whoever had enough of them (`| head`) has read them
    done = capture(target, command)
    out.document({"lab": target.lab, "node": target.path, "lines": done.text.splitlines()})
    return _read(target, done.exit_code)


def _read(target: Target, code: int) -> int:
    if code != 0:
        raise CommandFailedError(f"the logs of {target.path} could not be read to their end (tail ended with {code})")
    return 0
