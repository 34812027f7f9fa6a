"""Collecting answers to a discovery on loopback: only those to this question count."""

import json
import socket

from epolab.verify.discovery_program import collect


def offer(name: str, nonce: str) -> bytes:
    return json.dumps({"relay": {"computer_name": name}, "nonce": nonce}).encode()


def test_only_answers_to_this_question_count() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as relay,
    ):
        listener.bind(("127.0.0.1", 0))
        for datagram in (b"noise", offer("other", "old"), offer("relay-1", "mine"), offer("relay-2", "mine")):
            relay.sendto(datagram, listener.getsockname())
        assert collect(listener, "mine", 5.0, {"relay-1", "relay-2"}) == {"relay-1", "relay-2"}
        assert collect(listener, "mine", 0.05, {"relay-3"}) == set()
