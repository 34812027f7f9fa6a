"""Who does not look for relays at all, and how many look at once."""

import asyncio

import pytest

from miniepo.agent.relay_finder import RelayFinder
from miniepo.protocol.discovery import Relay
from tests.unit.miniepo.standins import CountingEntropy


@pytest.mark.parametrize("version", ["4.0.0", "4.5.0", "4.6.0"])
def test_an_agent_before_4_8_asks_nobody(version: str) -> None:
    entropy = CountingEntropy()
    assert asyncio.run(RelayFinder(version, entropy).find()) == ()
    assert entropy.nonce() == CountingEntropy().nonce(), "no question was made"


RELAY = Relay("G1", "relay-1", 8083, ("10.3.0.1",))


class Slow(RelayFinder):
    """A round ends when it is told to."""

    def __init__(self) -> None:
        super().__init__("4.8.0", CountingEntropy())
        self.rounds = 0
        self.over = asyncio.Event()

    async def find(self) -> tuple[Relay, ...]:
        self.rounds += 1
        await self.over.wait()
        return (RELAY,)


def test_who_asks_beside_a_communication_gets_its_answers() -> None:
    async def both() -> None:
        finder = Slow()
        communication = finder.start()
        person, impatient = asyncio.create_task(finder.ask()), asyncio.create_task(finder.ask())
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.wait([impatient])
        finder.over.set()
        assert await person == await communication == (RELAY,)
        assert finder.rounds == 1
        assert await finder.ask() == (RELAY,) and finder.rounds == 2, "later it is another question"

    asyncio.run(both())
