"""Whether a relay ends both connections when a transfer is over: one goes through it, and is watched on its node."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from epolab.errors import TimeoutExceededError
from epolab.hands.until import until
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.relay_asks import patient_answers_to
from epolab.verify.relay_plan import allowed, client_of
from epolab.verify.witness import Witness

HELD_SECONDS, HELD_ROUNDS = 2.0, 3

Pair = tuple[str, str]


def busy(witness: Witness, path: str) -> list[str]:
    """The connections that the relay process of a node holds, also those that one side has ended."""
    lines = witness.must(path, "runuser -u cmamesh -- ss -Htnp state connected").splitlines()
    return [line for line in lines if '"cmamesh"' in line]


def disconnects(witness: Witness, topology: Topology, relay: Node, limit_seconds: float) -> list[str]:
    """Have a transfer through a relay, end it, and see what the relay holds then: those of the connections that it held
    meanwhile which it still holds when their end was waited for. Others may come and go, for relays of many agents are
    never without any. Where the transfer was not seen among them, nothing was seen to end: that is told instead.
    """
    first, unseen = held_while(witness, topology, relay)

    def left() -> list[str]:
        return [line for line in busy(witness, relay.path) if pair_of(line) in first]

    if unseen:
        return [unseen]
    try:
        until(lambda: not left(), what=f"{relay.path} ends its connections", limit_seconds=limit_seconds)
    except TimeoutExceededError:
        return left()
    return []


def held_while(witness: Witness, topology: Topology, relay: Node) -> tuple[set[Pair], str]:
    """The connections that a relay holds while a transfer goes through it, and why that one was not seen among them."""
    client, held = client_of(topology, relay, witness.absent), set[Pair]()
    asks = [replace(ask, hold_seconds=HELD_SECONDS) for ask in allowed(topology, relay)[:1]]
    unseen = f"{relay.path} reaches no site of its list, so that no transfer was seen"
    for _ in range(HELD_ROUNDS if asks else 0):
        with ThreadPoolExecutor(1) as pool:
            transfer = pool.submit(patient_answers_to, witness, client, asks)
            while not transfer.done():
                held |= {pair_of(line) for line in busy(witness, relay.path)}
        ((ask, said),) = transfer.result()
        unseen = f"no transfer of {client.path} to {ask.connect} ({said['text']}) was seen among {sorted(held)}"
        if said["ok"] and has_both(held, said["text"]):
            return held, ""
    return held, unseen


def has_both(pairs: Collection[Pair], client: str) -> bool:
    """Whether there is the connection to a client's end (address and port), and one that the relay itself opened."""
    taken = {end_of(local).rpartition(" ")[2] for local, peer in pairs if end_of(peer) == client}
    return any(end_of(local).rpartition(" ")[2] not in taken for local, _ in pairs) if taken else False


def end_of(text: str) -> str:
    """Address and port of an end that `ss` tells of."""
    address, _, port = text.rpartition(":")
    return f"{address.strip('[]').removeprefix('::ffff:')} {port}"


def pair_of(line: str) -> Pair:
    """The two ends of a connection, as `ss` tells of it."""
    local, peer = line.split()[3:5]
    return local, peer
