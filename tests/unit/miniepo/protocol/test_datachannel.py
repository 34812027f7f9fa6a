"""Messages of the DataChannel come back from the wire as they went, and those of the other side are no messages."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from miniepo.errors import MessageError
from miniepo.protocol import codec
from miniepo.protocol.datachannel import (
    MAX_PAYLOAD_BYTES,
    ChannelExchange,
    ChannelItems,
    ChannelMessage,
    ChannelWaiting,
    check_messages,
    check_payload,
    server_tells_handlers,
)

MESSAGE = ChannelMessage(
    id="B-1", product="EPOAGENT3000", kind="echo", correlation="17", payload={"text": "é", "n": [1, None]}, expires=9.5
)


def test_what_an_agent_says_comes_back_as_it_was() -> None:
    said = ChannelExchange(guid="G", taken=("B-1", "B-2"), messages=(MESSAGE,))
    assert codec.decode_from_agent(codec.encode(said)) == said


@pytest.mark.parametrize("answer", [ChannelItems(items=(MESSAGE,), accepted=("A-1",)), ChannelWaiting(guid="G")])
def test_what_a_handler_says_comes_back_as_it_was(answer: ChannelItems | ChannelWaiting) -> None:
    assert codec.decode_to_agent(codec.encode(answer)) == answer


def test_a_direction_does_not_understand_the_other() -> None:
    with pytest.raises(MessageError):
        codec.decode_from_agent(codec.encode(ChannelItems()))
    with pytest.raises(MessageError):
        codec.decode_to_agent(codec.encode(ChannelExchange(guid="G")))


def test_a_message_without_an_expiry_is_none() -> None:
    with pytest.raises(MessageError):
        codec.decode_from_agent(b'{"message":"channel-exchange","guid":"G","messages":[{"id":"1","product":"P"}]}')


@pytest.mark.parametrize(
    ("version", "tells"), [("4.5", True), ("4.5.3", True), ("4.6", False), ("5.9.1", False), ("", False)]
)
def test_only_an_epo_4_5_tells_its_handlers(version: str, tells: bool) -> None:
    assert server_tells_handlers(version) is tells


def test_a_payload_that_is_too_big_does_not_travel() -> None:
    check_payload({"text": "x" * (MAX_PAYLOAD_BYTES - 20)})
    with pytest.raises(MessageError, match="the DataChannel takes 32768"):
        check_payload({"text": "x" * MAX_PAYLOAD_BYTES})


@pytest.mark.parametrize("field", ["id", "product", "kind", "correlation"])
def test_a_name_with_nul_does_not_travel(field: str) -> None:
    check_messages((MESSAGE,))
    with pytest.raises(MessageError, match="NUL"):
        check_messages((MESSAGE, msgspec.structs.replace(MESSAGE, **{field: "a\0b"})))


@pytest.mark.parametrize("payload", [{"text": "\0"}, {"a\0": 1}, {"deep": [{"x": "\\\0"}]}, {"text": "\\\\\0\\"}])
def test_a_payload_with_nul_does_not_travel(payload: dict[str, Any]) -> None:
    with pytest.raises(MessageError, match="NUL"):
        check_messages((msgspec.structs.replace(MESSAGE, payload=payload),))


@pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "u0000", "\x01", "\\\\\\u0000"])
def test_what_only_looks_like_nul_travels(text: str) -> None:
    check_payload({"text": text})
