"""Several who wait for answers at one port: it is opened once, told to all, and closed by the last."""

import asyncio

import pytest

from miniepo.agent.relay_finder import RelayFinder
from miniepo.protocol.discovery import Relay, decode_query, encode_offer
from miniepo.wire.answer_port import AnswerPort
from miniepo.wire.datagram import Take
from tests.unit.miniepo.standins import CountingEntropy


class Segment:
    """A port whose questions are answered at once, each by a relay that is called as the question."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.opened = self.closed = self.asked = 0
        self.fails = False
        self._take: Take | None = None

    async def open(self, take: Take) -> None:
        await asyncio.sleep(0)
        if self.fails:
            raise OSError("address in use")
        self.opened += 1
        self._take = take

    def ask_segments(self, data: bytes, port: int) -> int:
        self.asked += 1
        nonce = decode_query(data) or ""
        offer = encode_offer(Relay(f"G-{nonce}", f"relay-{nonce}", 8083, ("10.3.0.1",)), nonce)
        if self._take is not None:
            asyncio.get_running_loop().call_soon(self._take, offer, "10.3.0.1")
        return 1

    def close(self) -> None:
        self.closed += 1


def test_each_question_gets_its_own_answers_at_one_port() -> None:
    segment, entropy = Segment(8082), CountingEntropy()

    async def all_ask() -> list[str]:
        answers = AnswerPort(8082, lambda _: segment)
        finders = [RelayFinder("5.0.0", entropy, answers.seat) for _ in range(3)]
        return [relay.computer_name for found in await asyncio.gather(*(f.ask() for f in finders)) for relay in found]

    expected = CountingEntropy()
    assert asyncio.run(all_ask()) == [f"relay-{expected.nonce()}" for _ in range(3)]
    assert (segment.opened, segment.asked, segment.closed) == (1, 3, 1)


def test_the_port_is_closed_with_the_last_and_opened_again_for_the_next() -> None:
    ports: list[Segment] = []

    def make(number: int) -> Segment:
        ports.append(Segment(number))
        return ports[-1]

    async def come_and_go() -> None:
        answers = AnswerPort(8082, make)
        first, second, third = answers.seat(), answers.seat(), answers.seat()
        await asyncio.gather(first.open(lambda *_: None), second.open(lambda *_: None))
        first.close()
        first.close()
        assert [port.closed for port in ports] == [0]
        second.close()
        assert [port.closed for port in ports] == [1]
        await third.open(lambda *_: None)
        assert [(port.number, port.opened, port.closed) for port in ports] == [(8082, 1, 1), (8082, 1, 0)]
        third.close()

    asyncio.run(come_and_go())


def test_a_port_that_cannot_be_opened_is_tried_again_for_the_next() -> None:
    segment = Segment(8082)

    async def fail_then_open() -> None:
        answers = AnswerPort(8082, lambda _: segment)
        first, second = answers.seat(), answers.seat()
        segment.fails = True
        with pytest.raises(OSError, match="in use"):
            await first.open(lambda *_: None)
        first.close()
        assert first.ask_segments(b"?", 8082) == 0
        segment.fails = False
        await second.open(lambda *_: None)
        second.close()

    asyncio.run(fail_then_open())
    assert (segment.opened, segment.closed) == (1, 1)
