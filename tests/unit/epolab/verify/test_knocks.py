"""Knocks and answers in words and documents."""

from epolab.verify.knocks import Answer, Knock


def test_a_knock_is_what_the_probe_program_reads() -> None:
    assert Knock("udp", "fd00::1", 8083, "00", None, 2.0).to_document() == {
        "protocol": "udp",
        "address": "fd00::1",
        "port": 8083,
        "send": "00",
        "source": None,
        "timeout_s": 2.0,
    }


def test_only_an_open_port_has_answered() -> None:
    assert Answer("open", "", "", 1.0).answered
    refused = Answer("refused", "", "Connection refused", 1.0)
    assert not refused.answered
    assert refused.text == "refused: Connection refused"
