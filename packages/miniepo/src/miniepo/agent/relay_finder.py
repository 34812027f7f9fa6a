"""Asks the segments of this node for relays and waits a short while for their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from miniepo.clock import Entropy
from miniepo.log import logger
from miniepo.patience import within
from miniepo.protocol.discovery import Discovery, Relay, discovery_port, encode_query
from miniepo.protocol.version import AGENT_BROADCAST_PORT, Behaviour
from miniepo.wire.answer_port import Port
from miniepo.wire.datagram import DatagramPort

WAIT_SECONDS = 0.6
AFTER_FIRST_SECONDS = 0.2

_log = logger("agent.relay_finder")


def own_port() -> Port:
    """The agent broadcast port, for one who asks alone."""
    return DatagramPort(AGENT_BROADCAST_PORT)


class RelayFinder:
    """Discovery of relays by UDP broadcast and multicast (domain §5); answers come to the agent broadcast port."""

    def __init__(self, version: str, entropy: Entropy, answer_port: Callable[[], Port] = own_port) -> None:
        self._looks = Behaviour.of(version).relay
        self._asked_port = discovery_port(version)
        self._answer_port = answer_port
        self._entropy = entropy
        self._round: asyncio.Task[tuple[Relay, ...]] | None = None

    def start(self) -> asyncio.Task[tuple[Relay, ...]]:
        """Find relays in the background; who asks while a round is under way gets that round's answers."""
        if self._round is None or self._round.done():
            self._round = asyncio.create_task(self.find())
        return self._round

    async def ask(self) -> tuple[Relay, ...]:
        """The relays of the round under way, or of a new one: one question at a time, for there is one answer port.

        Who gives up waiting leaves the round to the others.
        """
        return await asyncio.shield(self.start())

    async def find(self) -> tuple[Relay, ...]:
        """The relays that answered, first responder first; none where the question could not be sent.

        An agent before 4.8 knows nothing of relays and asks nobody (domain §5, source S1).
        """
        if not self._looks:
            return ()
        nonce = self._entropy.nonce()
        round_ = Discovery(nonce)
        first = asyncio.Event()
        port = self._answer_port()

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
        await within(first.wait(), WAIT_SECONDS)
    except TimeoutError:
        return
    await asyncio.sleep(AFTER_FIRST_SECONDS)
