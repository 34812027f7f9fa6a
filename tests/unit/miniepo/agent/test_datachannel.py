"""What lies in the agent's inbox goes to its product once, also after the agent was stopped in the middle of it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import ssl
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from miniepo.agent.connector import Connector, Line, SecondsLeft
from miniepo.agent.datachannel import DataChannel, Handle
from miniepo.agent.datachannel_box import Box
from miniepo.agent.relay_finder import RelayFinder
from miniepo.agent.routes import Way, WayKey
from miniepo.agent.state import StateDirectory
from miniepo.errors import MessageError, TransferError, UnreachableError
from miniepo.protocol import signing
from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.handler_choice import ROUNDS
from miniepo.protocol.sitelist import Site
from miniepo.wire.http_client import Answer, Headers, HttpConnection
from tests.unit.miniepo.standins import HANDLER, SECOND, CountingEntropy, SetClock, sitelist_text, state_directory

NOW = 1_000_000.0
LIFE_SECONDS = 0.3
SERVER_KEY, STRANGERS_KEY = SigningKey(b"1" * 32), SigningKey(b"2" * 32)


class NoTls:
    """TLS that nobody may ask for: an agent that has not enrolled visits nobody."""

    def current(self) -> ssl.SSLContext:
        raise AssertionError("a connection was opened")


class Place:
    """An agent's channel that knows no server yet, and what its products heard."""

    def __init__(self, folder: Path) -> None:
        state = state_directory(folder)
        self.inbox = Box(state.folder("datachannel/inbox"))
        self.outbox = Box(state.folder("datachannel/outbox"))
        self.heard: list[str] = []
        self.breaking: set[str] = set()
        self._make: Callable[[], DataChannel] = lambda: DataChannel(
            "4.8.0",
            state,
            Connector(state, NoTls(), RelayFinder("4.8.0", CountingEntropy()), lambda: "needed"),
            state.key.verify_key,
            SetClock(NOW),
            CountingEntropy(),
        )

    def live(self, *products: str, interrupted: bool = False, failing: bool = False, late: bool = False) -> None:
        """A life of the agent, long enough for its products: nothing in it waits for anything but the disk."""

        async def life() -> None:
            channel = self._make()
            for product in products:
                cut = self._hears(False, "cut ") if interrupted else None
                channel.register(product, self._hears(failing), cut, self._hears(False, "late ") if late else None)
            channel.told()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LIFE_SECONDS):
                    await channel.run()

        asyncio.run(life())

    def _hears(self, failing: bool, how: str = "") -> Handle:
        async def handle(message: ChannelMessage) -> None:
            assert [each.id for each in self.inbox.begun()].count(message.id) == 1, "it is marked before it begins"
            self.heard.append(f"{how}{message.id}")
            if message.id in self.breaking:
                raise KeyError("no such field")
            if failing:
                raise TransferError("no luck")

        return handle


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def message(id: str, product: str = "P", expires: float = NOW + 60) -> ChannelMessage:
    return ChannelMessage(id=id, product=product, kind="k", expires=expires)


def test_what_came_is_handled_once(place: Place) -> None:
    place.inbox.add(message("1"))
    place.inbox.add(message("2"))
    place.live("P")
    place.live("P")
    assert place.heard == ["1", "2"]


def test_a_handling_that_fails_is_not_tried_for_ever(place: Place) -> None:
    place.inbox.add(message("1"))
    place.live("P", failing=True)
    place.live("P", failing=True)
    assert place.heard == ["1"]


def test_a_product_that_breaks_ends_neither_the_others_nor_the_agent(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.breaking = {"1"}
    for id in ("1", "2"):
        place.inbox.add(message(id))
    place.live("P")
    place.live("P")
    assert place.heard == ["1", "2"]
    assert "P broke at message 1" in caplog.text and "KeyError" in caplog.text


@pytest.mark.parametrize(("what", "heard"), [("begin", []), ("forget", ["1"])])
def test_a_disk_that_takes_nothing_ends_no_channel(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str, heard: list[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    place.inbox.add(message("1"))
    with monkeypatch.context() as disk:
        disk.setattr(Box, what, full)
        place.live("P")
    assert place.heard == heard
    assert "[Errno 28] No space left on device" in caplog.text
    place.live("P", interrupted=True)
    assert place.heard == (["1"] if what == "begin" else ["1", "cut 1"])


def test_what_was_cut_short_is_told_to_the_product_and_not_begun_again(place: Place) -> None:
    place.inbox.add(message("1"))
    place.inbox.begin("1")
    place.live("P", interrupted=True)
    assert place.heard == ["cut 1"]


def test_what_was_cut_short_is_forgotten_by_a_product_that_does_not_ask(place: Place) -> None:
    place.inbox.add(message("1"))
    place.inbox.begin("1")
    place.live("P")
    assert place.heard == []


def test_what_is_too_late_or_for_nobody_is_dropped(place: Place) -> None:
    place.inbox.add(message("1", expires=NOW))
    place.inbox.add(message("2", product="Q"))
    place.live("P")
    assert place.heard == []


def test_what_is_too_late_is_told_once_to_the_product_that_asks(place: Place) -> None:
    place.inbox.add(message("1", expires=NOW))
    place.inbox.add(message("2"))
    place.live("P", late=True)
    place.live("P", late=True)
    assert place.heard == ["late 1", "2"]
    assert not place.inbox.begun() and not place.inbox.oldest()


def test_what_is_said_lies_on_the_disk_until_a_server_has_it(place: Place, tmp_path: Path) -> None:
    async def say() -> None:
        channel = place._make()
        channel.send(message("1"))
        with pytest.raises(MessageError):
            channel.send(ChannelMessage(id="2", product="P", kind="k", payload={"x": "y" * 40_000}, expires=NOW))
        with pytest.raises(MessageError):
            channel.send(ChannelMessage(id="3", product="P", kind="k", payload={"x": "\0"}, expires=NOW))

    asyncio.run(say())
    assert [each.id for each in place.outbox.oldest()] == ["1"]
    place.live("P")
    assert len(place.outbox) == 1, "nobody was visited before enrolment"


class StubHttp(HttpConnection):
    """A handler that gives every request one answer."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def request(
        self, method: str, target: str, body: bytes = b"", headers: Headers = (), limit_bytes: int = 0
    ) -> Answer:
        return self._answer

    async def close(self) -> None:
        pass


class Answering(Connector):
    """Every handler takes the connection and answers as it is told to here; `visited` tells which were asked."""

    def __init__(self, state: StateDirectory, answers: dict[str, Answer]) -> None:
        super().__init__(state, NoTls(), RelayFinder("4.8.0", CountingEntropy()), lambda: "needed")
        self._answers = answers
        self.visited: list[str] = []

    async def open(
        self,
        handlers: Sequence[Site],
        avoid: frozenset[WayKey] = frozenset(),
        seconds_left: SecondsLeft = lambda: math.inf,
    ) -> Line:
        left = [each for each in handlers if Way(each).key not in avoid]
        if not left:
            raise UnreachableError("no handler is left")
        self.visited.append(left[0].name)
        return Line(Way(left[0]), StubHttp(self._answers[left[0].name]))


def sealed_by(key: SigningKey, issued_at: float) -> Answer:
    return Answer(200, {}, signing.seal(b"{}", key, sender="H", recipient="G", issued_at=issued_at, nonce="N"))


def visits(folder: Path, answers: dict[str, Answer]) -> list[str]:
    """Whom an agent with two handlers in its list visits in a short life."""
    state = state_directory(folder)
    state.register("GUID-9", enrolled=True)
    listed = (replace(each, version="5.3.0", order=n) for n, each in enumerate((HANDLER, SECOND), 1))
    state.store_sitelist(sitelist_text(*listed), "v2")
    connector = Answering(state, answers)

    async def life() -> None:
        channel = DataChannel("4.8.0", state, connector, SERVER_KEY.verify_key, SetClock(NOW), CountingEntropy())
        channel.told()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LIFE_SECONDS):
                await channel.run()

    asyncio.run(life())
    return connector.visited


@pytest.mark.parametrize(
    ("retry_after", "visited"), [("0", [HANDLER.name, SECOND.name] * ROUNDS), ("3600", [HANDLER.name])]
)
def test_a_full_handler_says_when_to_come_back_and_the_next_one_is_asked(
    tmp_path: Path, retry_after: str, visited: list[str]
) -> None:
    full = Answer(503, {"retry-after": retry_after})
    assert visits(tmp_path, {HANDLER.name: full, SECOND.name: full}) == visited


@pytest.mark.parametrize(
    "sick",
    [Answer(503, {}), Answer(200, {}, b"nonsense"), sealed_by(STRANGERS_KEY, NOW), sealed_by(SERVER_KEY, NOW - 9000)],
    ids=["failing", "no envelope", "a stranger's", "stale"],
)
def test_a_handler_that_cannot_see_a_visit_through_is_left_for_the_next_one(tmp_path: Path, sick: Answer) -> None:
    full = Answer(503, {"retry-after": "3600"})
    assert visits(tmp_path, {HANDLER.name: sick, SECOND.name: full}) == [HANDLER.name, SECOND.name]


def test_each_way_is_gone_once_in_a_visit(tmp_path: Path) -> None:
    sick = Answer(503, {})
    assert visits(tmp_path, {HANDLER.name: sick, SECOND.name: sick}) == [HANDLER.name, SECOND.name]
