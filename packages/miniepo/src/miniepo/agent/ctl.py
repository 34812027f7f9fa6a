"""`miniepo ctl`: gives an order to the agent that runs on this node and prints its reply as JSON."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from miniepo.agent.orders import Order, Reply
from miniepo.errors import UnreachableError
from miniepo.wire.control import ask

SOCKET = "control.sock"
_TIMEOUT_SECONDS = 60.0


def read_arguments(argv: Sequence[str]) -> tuple[Path, Order]:
    """The socket's path and the order."""
    parser = argparse.ArgumentParser(prog="miniepo ctl", description="talk to the agent on this node")
    parser.add_argument("--state-dir", default="/var/lib/miniepo/agent", type=Path)
    verbs = parser.add_subparsers(dest="order", required=True)
    callin = verbs.add_parser("callin", help="call in to a handler now")
    callin.add_argument(
        "--forget", action="store_true", help="as if for the first time: no relay, and no handler's silence, is known"
    )
    verbs.add_parser("update", help="run an update now")
    verbs.add_parser("discover", help="look for relays now; the first responder comes first")
    verbs.add_parser("enforce", help="enforce the policies now")
    verbs.add_parser("status", help="what the agent is and did last")
    custom = verbs.add_parser("property", help="set a custom property, which is reported with the next properties")
    custom.add_argument("number", type=int, help="1 to 4")
    custom.add_argument("text", help="its value; empty: none")
    event = verbs.add_parser("event", help="put an event into the spool")
    event.add_argument("--id", dest="event_id", type=int, required=True)
    event.add_argument("--severity", type=int, default=5, help="0 emergency … 7 debug")
    event.add_argument("--text", default="")
    event.add_argument("--kind", choices=("threat", "product"), default="threat")
    event.add_argument("--count", type=int, default=1)
    event.add_argument("--key", default="", help="the events' keys begin with it; giving the order again adds none")
    given = vars(parser.parse_args(argv))
    return given.pop("state_dir") / SOCKET, Order(**given)


def main(argv: Sequence[str]) -> int:
    """Exit code 0 if the agent did it, 1 if it could not, 4 if no agent answers.

    What came of an order that failed is printed too where there is anything to say, and why on standard error.
    """
    socket, order = read_arguments(argv)
    try:
        line = asyncio.run(ask(socket, msgspec.json.encode(order) + b"\n", _TIMEOUT_SECONDS))
        reply = msgspec.json.decode(line, type=Reply)
    except (UnreachableError, msgspec.DecodeError) as error:
        sys.stderr.write(f"{error}\n")
        return 4
    if reply.ok or reply.result:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(reply.result), indent=2).decode() + "\n")
    if not reply.ok:
        sys.stderr.write(f"{reply.error}\n")
    return 0 if reply.ok else 1
