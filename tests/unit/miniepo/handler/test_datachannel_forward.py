"""What agents say goes up, or leaves the two published lines in the server log."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from miniepo.errors import ConfigError, MiniepoError, TransferError, UnreachableError
from miniepo.handler.datachannel_forward import REST_SECONDS, Forwarder
from miniepo.protocol import datachannel_forward
from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.datachannel_forward import Forwarded, Received
from miniepo.wire.http_client import Answer
from tests.unit.miniepo.standins import SetClock

MESSAGES = tuple(ChannelMessage(id=id, product="P", kind="k", expires=1.0) for id in ("a", "b"))
PUBLISHED = [
    ("server.log.McUpload", "Failed to send http request.  Error=12029 (12029)"),
    (
        "server.log.NAIMSRV",
        "ForwardDataChannelMessageToJava - Failed to send request, err=0x80004005, HTTP status code=0",
    ),
]


class Line:
    """A line that gives one answer, or none."""

    def __init__(self, answer: Answer | MiniepoError) -> None:
        self.answer = answer
        self.posted: list[Forwarded] = []

    async def post(self, path: str, body: bytes) -> Answer:
        assert path == "/datachannel"
        self.posted.append(datachannel_forward.decode_forwarded(body))
        if isinstance(self.answer, MiniepoError):
            raise self.answer
        return self.answer


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(each.name, each.getMessage()) for each in caplog.records if each.name.startswith("server.log.")]


def forward(line: Line, redirect_file: Path) -> tuple[str, ...]:
    return asyncio.run(Forwarder("dmz/ah", line, str(redirect_file)).forward("G", MESSAGES))


def test_what_the_server_has_is_accepted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "DCRedirect").write_text("5.9.1\n")
    line = Line(Answer(200, {}, datachannel_forward.encode(Received(accepted=("b",)))))
    assert forward(line, tmp_path / "DCRedirect") == ("b",)
    assert line.posted == [Forwarded(handler="dmz/ah", redirect="5.9.1", guid="G", messages=MESSAGES)]
    assert lines(caplog) == []


@pytest.mark.parametrize(
    "answer",
    [
        ConfigError("the certificate is missing"),
        UnreachableError("refused"),
        TransferError("expired"),
        Answer(403, {}, b"another DCRedirect extension"),
        Answer(503, {}, b"no database"),
        Answer(200, {}, b"nonsense"),
    ],
    ids=["missing", "down", "expired", "mismatched", "no database", "nonsense"],
)
def test_every_failure_leaves_the_published_lines(
    answer: Answer | MiniepoError, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert forward(Line(answer), tmp_path / "DCRedirect") == ()
    assert lines(caplog) == PUBLISHED
    assert all(each.levelno == logging.ERROR for each in caplog.records if each.name.startswith("server.log."))


class HangingLine(Line):
    """A line, a few requests at a time, to a server that hangs until it goes on."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.asked, self.goes_on = asyncio.Event(), asyncio.Event()
        self._slots = asyncio.Semaphore(8)

    async def post(self, path: str, body: bytes) -> Answer:
        async with self._slots:
            answer = await super().post(path, body)
            self.asked.set()
            await self.goes_on.wait()
            return answer


TAKEN = Answer(200, {}, datachannel_forward.encode(Received(accepted=("a", "b"))))


def test_a_server_that_hangs_holds_no_visit_for_long(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def script() -> None:
        line, clock = HangingLine(TAKEN), SetClock()
        forwarder = Forwarder("dmz/ah", line, str(tmp_path / "x"), clock, forward_seconds=0.5)

        async def forty() -> list[tuple[str, ...]]:
            async with asyncio.timeout(0.5 * 4):  # in steps of eight it would take five times as long as one
                return await asyncio.gather(*(forwarder.forward("G", MESSAGES) for _ in range(40)))

        assert await forty() == [()] * 40
        assert lines(caplog) == PUBLISHED * 40
        asked = len(line.posted)
        caplog.clear()
        assert await forty() == [()] * 40
        assert len(line.posted) == asked, "nobody asks a server that has just said nothing"
        assert lines(caplog) == PUBLISHED * 40
        clock.at += REST_SECONDS
        assert await forty() == [()] * 40
        assert len(line.posted) == asked + 1, "one tries it for all"
        clock.at += REST_SECONDS
        line.goes_on.set()
        assert await forwarder.forward("G", MESSAGES) == ("a", "b")
        assert await forty() == [("a", "b")] * 40

    asyncio.run(script())


def test_a_server_that_answers_others_is_asked_on(tmp_path: Path) -> None:
    async def script() -> None:
        line = HangingLine(TAKEN)
        forwarder = Forwarder("dmz/ah", line, str(tmp_path / "x"), SetClock(), forward_seconds=0.2)
        slow = asyncio.create_task(forwarder.forward("G", MESSAGES))
        await line.asked.wait()
        line.goes_on = asyncio.Event()
        line.goes_on.set()
        assert await forwarder.forward("G", MESSAGES) == ("a", "b")
        assert await slow == ()
        assert await forwarder.forward("G", MESSAGES) == ("a", "b")

    asyncio.run(script())


def test_without_an_extension_none_is_named(tmp_path: Path) -> None:
    line = Line(Answer(200, {}, datachannel_forward.encode(Received(accepted=()))))
    forward(line, tmp_path / "DCRedirect")
    assert line.posted[0].redirect == ""


def test_nothing_is_passed_on_when_nothing_was_said(tmp_path: Path) -> None:
    line = Line(UnreachableError())
    assert asyncio.run(Forwarder("dmz/ah", line, str(tmp_path / "x")).forward("G", ())) == ()
    assert line.posted == []
