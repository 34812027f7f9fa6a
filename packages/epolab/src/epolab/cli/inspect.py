"""`epolab inspect`: all about a lab, or one node of it."""

from __future__ import annotations

import argparse
from typing import Any

from epolab.cli.output import Output
from epolab.cli.tables import show_certificate, show_nodes, show_timings
from epolab.hands.docker import Docker
from epolab.steps.inspect import inspect_lab
from epolab.steps.labs import own_labs
from epolab.steps.names import owner_name, pick_lab, pick_node

SUMMARY = "all about a lab, or one node of it"
EXAMPLES = "  epolab inspect\n  epolab inspect quickstart tokyo/tokyo-pc-1 --json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this verb."""
    parser.add_argument("lab", nargs="?", metavar="LAB", help="the lab (may be left out when there is one)")
    parser.add_argument("node", nargs="?", metavar="NODE", help="only this node")


def run(args: argparse.Namespace, out: Output) -> int:
    """Do it."""
    docker = Docker.connect()
    lab, node = meant(args.lab, args.node, own_labs(docker, owner_name()))
    document = inspect_lab(docker, lab)
    if node is not None:
        document["nodes"] = [_one(document, node)]
    out.document(document)
    show_nodes(out, document)
    if node is None:
        show_certificate(out, document)
        show_timings(out, document)
    return 0


def meant(lab: str | None, node: str | None, labs: Any) -> tuple[str, str | None]:
    """Which lab and node are meant; a first word that names no lab names a node of the only one."""
    if lab is not None and node is None and (lab not in labs and ("/" in lab or ":" in lab or len(labs) == 1)):
        named, _, rest = lab.rpartition(":")
        return pick_lab(named or None, labs), rest
    return pick_lab(lab, labs), node


def _one(document: dict[str, Any], wanted: str) -> dict[str, Any]:
    paths = [f"{node['site']}/{node['name']}" for node in document["nodes"]]
    found: dict[str, Any] = document["nodes"][paths.index(pick_node(wanted, paths, document["lab"]))]
    return found
