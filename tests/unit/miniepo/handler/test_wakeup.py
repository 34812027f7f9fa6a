"""What an agent gets, and what a SuperAgent gets."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from nacl.signing import SigningKey

from miniepo.handler.wakeup import WakeupWorker, seal_superagent, seal_wakeup
from miniepo.protocol import codec, messages, segment, signing
from miniepo.store.work import PUSH, Work
from tests.unit.miniepo.systems import system


class Still:
    """A clock and an entropy that do not move."""

    def now(self) -> float:
        return 1000.0

    def monotonic(self) -> float:
        return 0.0

    def nonce(self) -> str:
        return "n"

    def guid(self) -> str:
        return "G"

    def uniform(self, low: float, high: float) -> float:
        return low


def test_a_wakeup_is_sealed_for_one_agent_and_carries_no_content() -> None:
    key = SigningKey(b"1" * 32)
    work = Work(1, "wakeup", 7, "w-1", {"full_props": True, "random_seconds": 30}, 1)
    envelope = signing.open_envelope(seal_wakeup(key, "hq/epo", "G", work, Still(), Still()))
    signing.verify(envelope, key.verify_key, now=1000)
    assert (envelope.sender, envelope.recipient) == ("hq/epo", "G")
    expected = messages.Wakeup(guid="G", wakeup_id="w-1", full_props=True, random_seconds=30)
    assert codec.decode_to_agent(envelope.payload) == expected
    fields = set(msgspec.json.decode(envelope.payload))
    assert fields == {"message", "guid", "wakeup_id", "full_props", "random_seconds"}


def test_a_superagent_gets_the_order_and_the_datagram_for_its_segment() -> None:
    key = SigningKey(b"1" * 32)
    work = Work(1, "superagent", 7, "w-1", {"segment": "10.2.0.0/24", "random_seconds": 30, "full_policy": True}, 1)
    sealed = seal_superagent(key, "hq/epo", "G", work, Still(), Still())
    order, _ = segment.open_for_superagent(sealed, "G", key.verify_key, 1000)
    assert (order.guid, order.wakeup_id, order.random_seconds) == ("G", "w-1", 30)
    heard = segment.open_for_segment(order.datagram, key.verify_key, {"10.2.0.0/24"}, 1000)
    assert heard == segment.SegmentWakeup(wakeup_id="w-1", segment="10.2.0.0/24", random_seconds=30)
    fields = set(msgspec.json.decode(signing.open_envelope(sealed).payload))
    assert fields == {"message", "guid", "wakeup_id", "datagram", "full_props", "random_seconds"}


class Queue:
    """A work queue of some jobs; whoever asks when none is left waits."""

    def __init__(self, *jobs: Work) -> None:
        self._jobs = list(jobs)
        self._asked = len(jobs)
        self.finished: dict[int, tuple[str, str]] = {}
        self.all_finished = asyncio.Event()

    async def claim(self, _: int) -> Work | None:
        return self._jobs.pop(0) if self._jobs else None

    async def finish(self, id: int, outcome: str, message: str) -> None:
        self.finished[id] = (outcome, message)
        if len(self.finished) == self._asked:
            self.all_finished.set()


class Quiet:
    """Notices that never come."""

    async def wait(self, _: float) -> None:
        await asyncio.Event().wait()


class BrokenPusher:
    """A pusher with a mistake in it."""

    async def prepare(self, *_: object) -> None:
        raise ZeroDivisionError


def worker(queue: Queue, **values: Any) -> WakeupWorker:
    async def by_id(_: int) -> object:
        return system(**values)

    store = SimpleNamespace(work=queue, systems=SimpleNamespace(by_id=by_id))
    identity = SimpleNamespace(id=1, name="hq/epo", key=SigningKey(b"1" * 32))
    given = cast(Any, store), cast(Any, Quiet()), cast(Any, identity)
    return WakeupWorker(*given, Still(), Still(), 1.0, cast(Any, BrokenPusher()))


def work_off(queue: Queue, **values: Any) -> None:
    async def script() -> None:
        running = asyncio.create_task(worker(queue, **values).run())
        done = asyncio.create_task(queue.all_finished.wait())
        await asyncio.wait([running, done], timeout=10, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        running.cancel()
        done.cancel()
        await asyncio.gather(running, done, return_exceptions=True)

    asyncio.run(script())


def test_a_job_that_breaks_fails_and_the_next_is_done(caplog: pytest.LogCaptureFixture) -> None:
    queue = Queue(Work(1, PUSH, 7, "w-1", {}, 1), Work(2, "wakeup", 7, "w-2", {}, 1))
    with caplog.at_level(logging.ERROR):
        work_off(queue, fqdn="a..b", computer_name="", address="")
    assert queue.finished[1] == ("failed", "hq/epo broke at it: ZeroDivisionError; its log has the traceback")
    assert queue.finished[2][0] == "failed"
    assert any(record.exc_info for record in caplog.records)


def test_a_name_that_no_host_can_have_is_told() -> None:
    queue = Queue(Work(1, "wakeup", 7, "w-1", {}, 1))
    work_off(queue, fqdn="a..b", computer_name="", address="")
    outcome, message = queue.finished[1]
    assert outcome == "failed"
    assert message.startswith("hq/epo could not wake pc-1: a..b:8081: ")


def test_no_password_goes_where_a_reported_name_is_none_of_the_network() -> None:
    queue = Queue(Work(1, PUSH, 7, "w-1", {}, 1))
    work_off(queue, computer_name="evil.example")
    assert queue.finished[1] == ("failed", "evil.example is no NetBIOS name: no password is sent there")
