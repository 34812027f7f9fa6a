"""An agent is told once for all that waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from nacl.signing import SigningKey

from miniepo.errors import RefusedError
from miniepo.handler.datachannel import PARALLEL, ChannelWorker, Visits, by_target
from miniepo.protocol.datachannel import MAX_PAYLOAD_BYTES, MESSAGES_PER_EXCHANGE, ChannelExchange, ChannelMessage
from miniepo.protocol.relay_session import Endpoint
from miniepo.store.datachannel import Claimed
from miniepo.wire.http_client import Answer
from tests.unit.miniepo.standins import CountingEntropy, SetClock
from tests.unit.miniepo.systems import system


def claimed(id: int, target: int) -> Claimed:
    return Claimed(id=id, target=target, attempts=1, attempt_id=id)


def test_items_of_a_target_come_together_in_order() -> None:
    items = [claimed(3, 8), claimed(1, 7), claimed(2, 8), claimed(4, 7)]
    assert by_target(items) == [(7, [claimed(1, 7), claimed(4, 7)]), (8, [claimed(2, 8), claimed(3, 8)])]
    assert by_target([]) == []


class Queue:
    """Items for two systems; whoever asks when none is left waits."""

    def __init__(self) -> None:
        self._items = [claimed(1, 7), claimed(2, 8)]
        self.ended: dict[int, tuple[str, str]] = {}
        self.all_ended = asyncio.Event()

    async def claim(self, *_: object) -> list[Claimed]:
        items, self._items = self._items, []
        return items

    async def give_up(self, items: Sequence[Claimed], message: str) -> None:
        self._end(items, "failed", message)

    async def postpone(self, items: Sequence[Claimed], outcome: str, message: str, _: float) -> None:
        self._end(items, outcome, message)

    def _end(self, items: Sequence[Claimed], outcome: str, message: str) -> None:
        self.ended.update({item.id: (outcome, message) for item in items})
        if len(self.ended) == 2:
            self.all_ended.set()


class Broken:
    """A system that breaks whoever looks at more than its number."""

    def __init__(self, id: int) -> None:
        self.id = id

    def __getattr__(self, _: str) -> object:
        raise ZeroDivisionError


class Outside:
    """The rest of the database, and notices that never come; system 7 is a broken one."""

    async def wait(self, _: float) -> None:
        await asyncio.Event().wait()

    async def get(self, *_: str) -> str:
        return "5.9.1"

    async def numbered(self, ids: list[int]) -> list[object]:
        return [Broken(id) if id == 7 else system(id=id, fqdn="a..b", computer_name="", address="") for id in ids]


def test_items_that_break_fail_and_the_others_go_on() -> None:
    async def script() -> Queue:
        queue, outside = Queue(), Outside()
        store = SimpleNamespace(datachannel=queue, systems=outside, info=outside)
        identity = SimpleNamespace(id=1, name="hq/epo", key=SigningKey(b"1" * 32))
        given = cast(Any, store), cast(Any, outside), cast(Any, identity)
        worker = ChannelWorker(*given, SetClock(), CountingEntropy(), 1.0, built_in=True)
        running = asyncio.create_task(worker.run())
        done = asyncio.create_task(queue.all_ended.wait())
        await asyncio.wait([running, done], timeout=10, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        running.cancel()
        done.cancel()
        await asyncio.gather(running, done, return_exceptions=True)
        return queue

    queue = asyncio.run(script())
    assert queue.ended[1] == ("failed", "hq/epo broke at it: ZeroDivisionError; its log has the traceback")
    assert queue.ended[2][0] == "unreachable"
    assert "could not tell it: a..b:8081: " in queue.ended[2][1]


class Crowd:
    """Items of many systems, taken in their order; `log` tells whose attempt ended how."""

    def __init__(self) -> None:
        self._items: list[Claimed] = []
        self.open = self.most_open = 0
        self.log: list[tuple[int, str, str]] = []
        self.all_ended = asyncio.Event()

    def add(self, *targets: int) -> None:
        self._items += [claimed(target, target) for target in targets]
        self.all_ended.clear()

    async def claim(self, _: int, limit: int, grace_seconds: float) -> list[Claimed]:
        items, self._items = self._items[:limit], self._items[limit:]
        self.open += len(items)
        self.most_open = max(self.open, self.most_open)
        return items

    async def postpone(self, items: Sequence[Claimed], outcome: str, message: str, _: float) -> None:
        self.log += [(item.target, outcome, message) for item in items]
        self.open -= len(items)
        if not self._items and not self.open:
            self.all_ended.set()


class Town:
    """Systems that do not answer, but for number `GOOD`; `called` are the hosts that were."""

    GOOD = 1000

    def __init__(self) -> None:
        self.called: list[str] = []
        self.more = asyncio.Event()

    async def get(self, *_: str) -> str:
        return "5.9.1"

    async def wait(self, _: float) -> None:
        self.more.clear()
        await self.more.wait()

    async def numbered(self, ids: list[int]) -> list[object]:
        return [system(id=id, guid=f"G-{id}", fqdn=f"pc-{id}", computer_name="", address="10.0.0.7") for id in ids]

    async def post(self, endpoint: Endpoint, *_: object) -> Answer:
        self.called.append(endpoint.host)
        if endpoint.host != f"pc-{self.GOOD}":
            await asyncio.Event().wait()
        return Answer(202, {})


async def tell(town: Town, crowd: Crowd, *rounds: Sequence[int]) -> None:
    """Have a worker tell the systems of each round, when those of the one before have been dealt with."""
    store = SimpleNamespace(datachannel=crowd, systems=town, info=town)
    identity = SimpleNamespace(id=1, name="hq/epo", key=SigningKey(b"1" * 32))
    given = cast(Any, store), cast(Any, town), cast(Any, identity)
    entropy = CountingEntropy()
    worker = ChannelWorker(*given, SetClock(), entropy, 1.0, built_in=True, post=town.post, notice_seconds=0.3)
    running = asyncio.create_task(worker.run())
    for targets in rounds:
        crowd.add(*targets)
        town.more.set()
        async with asyncio.timeout(20):
            await crowd.all_ended.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_silent_systems_do_not_hold_up_the_others() -> None:
    async def script() -> tuple[Crowd, Town]:
        crowd, town = Crowd(), Town()
        await tell(town, crowd, [*range(200), town.GOOD])
        return crowd, town

    crowd, town = asyncio.run(script())
    assert crowd.most_open <= PARALLEL, "what is claimed is begun at once"
    before = [target for target, _, _ in crowd.log].index(town.GOOD)
    assert before <= PARALLEL, "the good one had no more than one time of silence to wait for"
    assert len(town.called) == 201, "the names of a system share one time"
    assert crowd.log[0][1:] == ("unreachable", "hq/epo could not tell it: not done within 0.3 s")


def test_systems_that_were_silent_lately_are_not_called_again_so_soon() -> None:
    async def script() -> tuple[Crowd, Town]:
        crowd, town = Crowd(), Town()
        await tell(town, crowd, range(5), [*range(5), town.GOOD])
        return crowd, town

    crowd, town = asyncio.run(script())
    assert town.called == [*(f"pc-{number}" for number in range(5)), f"pc-{town.GOOD}"]
    ended = {target: (outcome, message) for target, outcome, message in crowd.log[5:]}
    assert ended.pop(town.GOOD)[0] == "told"
    why = "not called again so soon: hq/epo could not tell it: not done within 0.3 s"
    assert ended == dict.fromkeys(range(5), ("waiting", why))


def said(number: int, payload: dict[str, Any], product: str = "P") -> ChannelMessage:
    return ChannelMessage(id=f"M-{number}", product=product, kind="k", payload=payload, expires=2_000_000.0)


@pytest.mark.parametrize(
    "messages",
    [
        tuple(said(number, {}) for number in range(MESSAGES_PER_EXCHANGE + 1)),
        (said(1, {}), said(2, {"text": "x" * MAX_PAYLOAD_BYTES})),
        (said(1, {}, product="P" * 257),),
        (said(1, {}), said(2, {"text": "\0"})),
    ],
)
def test_more_than_an_agent_may_say_is_refused_before_anything_is_done(messages: tuple[ChannelMessage, ...]) -> None:
    visits = Visits(cast(Any, None), "hq/epo", cast(Any, None))
    with pytest.raises(RefusedError) as refusal:
        asyncio.run(visits.exchange(system(), ChannelExchange(guid="G", taken=("I",), messages=messages)))
    assert refusal.value.code == "bad-message" and "the DataChannel takes" in refusal.value.reason


@pytest.mark.parametrize("taken", [("I",) * (MESSAGES_PER_EXCHANGE + 1), ("I", "x" * 257), ("a\0b",)])
def test_what_was_never_given_cannot_be_taken(taken: tuple[str, ...]) -> None:
    visits = Visits(cast(Any, None), "hq/epo", cast(Any, None))
    with pytest.raises(RefusedError) as refusal:
        asyncio.run(visits.exchange(system(), ChannelExchange(guid="G", taken=taken)))
    assert refusal.value.code == "bad-message" and "taken" in refusal.value.reason
