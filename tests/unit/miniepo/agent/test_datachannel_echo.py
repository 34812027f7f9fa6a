"""The agent's own product says back what it hears, under an id that is the same however often it is asked."""

from __future__ import annotations

import asyncio

from miniepo.agent.datachannel_echo import Echo
from miniepo.protocol.datachannel import AGENT_PRODUCT, ChannelMessage

QUESTION = ChannelMessage(
    id="B-1", product=AGENT_PRODUCT, kind="echo", correlation="17", payload={"text": "hello"}, expires=9.0
)


def test_an_echo_is_answered() -> None:
    said: list[ChannelMessage] = []
    echo = Echo(said.append, "pc-1")
    asyncio.run(echo.handle(QUESTION))
    asyncio.run(echo.handle(QUESTION))
    answer = ChannelMessage(
        id="B-1/echo",
        product=AGENT_PRODUCT,
        kind="echoed",
        correlation="17",
        payload={"text": "hello", "computer_name": "pc-1"},
        expires=9.0,
    )
    assert said == [answer, answer]


def test_another_kind_has_no_answer() -> None:
    said: list[ChannelMessage] = []
    asyncio.run(Echo(said.append, "pc-1").handle(ChannelMessage(id="1", product=AGENT_PRODUCT, kind="x", expires=9.0)))
    assert said == []
