"""Asks the segments of this node for relays and waits a short while for their answers."""

from __future__ import annotations

import asyncio

from miniepo.clock import Entropy
from miniepo.log import logger
from miniepo.protocol.discovery import AGENT_BROADCAST_PORT, Discovery, Relay, discovery_port, encode_query
from miniepo.wire.datagram import DatagramPort

WAIT_SECONDS = 0.6
AFTER_FIRST_SECONDS = 0.2

_log = logger("agent.relay_finder")


class RelayFinder:
    """Discovery of relays by UDP broadcast and multicast (domain §5); answers come to the agent broadcast port."""

    def __init__(self, version: str, entropy: Entropy, answer_port: int = AGENT_BROADCAST_PORT) -> None:
        self._asked_port = discovery_port(version)
        self._answer_port = answer_port
        self._entropy = entropy

    def start(self) -> asyncio.Task[tuple[Relay, ...]]:
        """Find relays in the background."""
        return asyncio.create_task(self.find())

    async def find(self) -> tuple[Relay, ...]:
        """The relays that answered, first responder first; none where the question could not be sent."""
        nonce = self._entropy.nonce()
        round_ = Discovery(nonce)
        first = asyncio.Event()
        port = DatagramPort(self._answer_port)

        def take(data: bytes, source: str) -> None:
            if round_.receive(data, source):
                first.set()

        try:
            await port.open(take)
            port.ask_segments(encode_query(nonce), self._asked_port)
            await _wait(first)
        except OSError as error:
            _log.warning("relays cannot be looked for: %s", error)
        finally:
            port.close()
        _log.info("%d relays answered", len(round_.found))
        return round_.found


async def _wait(first: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(first.wait(), WAIT_SECONDS)
    except TimeoutError:
        return
    await asyncio.sleep(AFTER_FIRST_SECONDS)
