"""Messages survive the way over the wire; anything else is one error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniepo.errors import MessageError
from miniepo.protocol import codec, messages


def test_a_message_comes_back_as_it_was() -> None:
    event = messages.Event(key="1", kind="threat", event_id=1092, severity=3, detected=1.5, fields={"ThreatName": "x"})
    sent = messages.Events(guid="G", events=(event,))
    assert codec.decode_from_agent(codec.encode(sent)) == sent


def test_a_package_comes_back_as_it_was() -> None:
    sent = messages.Package(
        policies=messages.PolicySet(
            version="v", policies=(messages.Policy(category="agent", name="p", settings={"asciSeconds": 10}),)
        )
    )
    assert codec.decode_to_agent(codec.encode(sent)) == sent


@given(st.binary(max_size=200))
def test_noise_is_a_message_error(data: bytes) -> None:
    with pytest.raises(MessageError):
        codec.decode_from_agent(data)
    with pytest.raises(MessageError):
        codec.decode_to_agent(data)


def test_a_message_says_whether_it_is_an_enrolment() -> None:
    assert codec.claims_to_enrol(b'{"guid":"G","more":[[],{"message":"props"}],"message":"enrol"}')
    assert not codec.claims_to_enrol(codec.encode(messages.Events(guid="enrol", events=())))
    for none in (b"{}", b'{"message":1}', b'{"a":' + b"[" * 100_000):
        with pytest.raises(MessageError):
            codec.claims_to_enrol(none)


def test_a_handlers_word_is_not_an_agents() -> None:
    with pytest.raises(MessageError):
        codec.decode_from_agent(codec.encode(messages.Acknowledged()))


def test_a_version_depends_on_values_not_on_their_order() -> None:
    assert codec.version_of({"a": 1, "b": 2}) == codec.version_of({"b": 2, "a": 1})
    assert codec.version_of({"a": 1}) != codec.version_of({"a": 2})
