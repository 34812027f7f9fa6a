"""Looking for relays from the nodes on their segments: which of them answers a question by broadcast or multicast."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from importlib import resources

from epolab.hands.beside import all_tried
from epolab.model.node import Node
from epolab.model.ports import BROADCAST, DISCOVERY_GROUP_V6
from epolab.model.topology import Topology
from epolab.verify.relay_plan import client_of, discovery_ports
from epolab.verify.witness import Witness

DISCOVERY_PROGRAM = resources.files("epolab.verify").joinpath("discovery_program.py").read_text()
ANSWER_SECONDS = 0.5
ROUNDS = 4

Found = dict[str, dict[str, list[str]]]
"""The relays (computer names) that answered, by family ("4", "6") and port."""


def discovered(witness: Witness, topology: Topology, relays: Sequence[Node]) -> dict[str, Future[Found]]:
    """What was found by the client of each of these relays, by the relay's path.

    A client looks for all its relays with one question, and clients look beside each other; one client never asks twice
    at the same time, because answers come to one port of it.
    """
    by_client: dict[str, list[Node]] = {}
    for relay in relays:
        by_client.setdefault(client_of(topology, relay, witness.absent).path, []).append(relay)

    def looked(client: str) -> dict[tuple[int, ...], Found]:
        return {ports: _look(witness, client, ports, group) for ports, group in _by_ports(topology, by_client[client])}

    outcomes = all_tried(looked, by_client)
    found: dict[str, Future[Found]] = {}
    for client, group in by_client.items():
        for relay in group:
            found[relay.path] = _part(outcomes[client], tuple(discovery_ports(topology, relay)))
    return found


def _by_ports(topology: Topology, relays: Sequence[Node]) -> list[tuple[tuple[int, ...], list[Node]]]:
    groups: dict[tuple[int, ...], list[Node]] = {}
    for relay in relays:
        groups.setdefault(tuple(discovery_ports(topology, relay)), []).append(relay)
    return list(groups.items())


def _look(witness: Witness, client: str, ports: Sequence[int], relays: Sequence[Node]) -> Found:
    asked = {
        "ports": list(ports),
        "answer_port": BROADCAST,
        "group": DISCOVERY_GROUP_V6,
        "wait_s": ANSWER_SECONDS,
        "rounds": ROUNDS,
        "expected": [relay.name for relay in relays],
    }
    found: Found = witness.python(client, DISCOVERY_PROGRAM, asked)
    return found


def _part(outcome: Future[dict[tuple[int, ...], Found]], ports: tuple[int, ...]) -> Future[Found]:
    """What was found at these ports, or how the client failed to look."""
    part: Future[Found] = Future()
    error = outcome.exception()
    if error is None:
        part.set_result(outcome.result()[ports])
    else:
        part.set_exception(error)
    return part
