"""Who may pass messages on to the server, and what is no such thing."""

from __future__ import annotations

import pytest

from miniepo.errors import MessageError
from miniepo.protocol import datachannel_forward
from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.datachannel_forward import Forwarded, Received, certificate_name, refusal

MESSAGE = ChannelMessage(id="1", product="P", kind="k", expires=1.0)
FORWARDED = Forwarded(handler="dmz/ah", redirect="5.9.1", guid="G", messages=(MESSAGE,))


def test_both_records_come_back_as_they_went() -> None:
    assert datachannel_forward.decode_forwarded(datachannel_forward.encode(FORWARDED)) == FORWARDED
    received = Received(accepted=("1",))
    assert datachannel_forward.decode_received(datachannel_forward.encode(received)) == received


def test_a_handler_with_its_certificate_and_extension_is_heard() -> None:
    assert certificate_name("dmz/ah") == "DataChannelAH_dmz/ah"
    assert refusal(FORWARDED, "DataChannelAH_dmz/ah", "5.9.1") == ""


@pytest.mark.parametrize("certificate", ["", "DataChannelAH_hq/epo", "dmz/ah", "ah.dmz.test", "DataChannelAH_"])
def test_another_certificate_is_refused(certificate: str) -> None:
    assert "is not that of handler dmz/ah" in refusal(FORWARDED, certificate, "5.9.1")


@pytest.mark.parametrize("here", ["5.9.0", ""])
def test_another_extension_is_refused(here: str) -> None:
    assert "DCRedirect extension 5.9.1 of dmz/ah" in refusal(FORWARDED, "DataChannelAH_dmz/ah", here)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[" * 100_000, b'{"handler":"h","redirect":"","guid":"G","messages":[1]}']
)
def test_what_is_no_record_is_a_message_error(data: bytes) -> None:
    with pytest.raises(MessageError):
        datachannel_forward.decode_forwarded(data)
    with pytest.raises(MessageError):
        datachannel_forward.decode_received(data)
