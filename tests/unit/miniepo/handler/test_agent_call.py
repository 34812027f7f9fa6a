"""A call of an agent ends in time, whatever the agent does."""

import asyncio
from typing import Any, cast

import pytest

from miniepo.errors import SilentError, TransferError
from miniepo.handler import agent_call
from miniepo.protocol.relay_session import Endpoint
from miniepo.wire.http_client import Answer
from miniepo.wire.stream import Stream

PLACE = Endpoint("pc-1.test", 8081)


class Agent:
    """Both ends of a connection to an agent that says its answer in these pieces, the last until it is dropped."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)
        self.heard = b""
        self.closed = False
        self.transport = self

    def abort(self) -> None:
        self._pieces = [b""]

    async def read(self, _: int) -> bytes:
        await asyncio.sleep(0)
        return self._pieces.pop(0) if len(self._pieces) > 1 else self._pieces[0]

    def write(self, data: bytes) -> None:
        self.heard += data

    async def drain(self) -> None:
        return

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    async def wait_closed(self) -> None:
        return

    def get_extra_info(self, _: str) -> None:
        return None


def call(agent: Agent, limit_seconds: float) -> Answer:
    async def opened(_: Endpoint) -> Stream:
        return Stream(cast(Any, agent), cast(Any, agent))

    return asyncio.run(agent_call.post(PLACE, "/wakeup", b"{}", limit_seconds, opened))


def test_an_answer_comes_back() -> None:
    agent = Agent(b"HTTP/1.1 202 Accepted\r\nContent-Le", b"ngth: 2\r\n\r\nok", b"")
    answer = call(agent, 10)
    assert (answer.status, answer.body, agent.closed) == (202, b"ok", True)
    assert agent.heard.startswith(b"POST /wakeup HTTP/1.1\r\nHost: pc-1.test:8081\r\n")


def test_who_drips_for_ever_is_silent() -> None:
    agent = Agent(b"HTTP/1.1 100 Continue\r\n\r\n")
    with pytest.raises((SilentError, TransferError)):
        call(agent, 0.05)
    assert agent.closed
