"""The program that gives an agent orders, against a socket that answers."""

import json
import socket
import threading
from pathlib import Path

import pytest

from epolab.verify.order_program import reply_to


def answering(path: Path, answer: bytes) -> list[bytes]:
    """What one visitor of a socket said; it gets this answer."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()
    heard: list[bytes] = []

    def serve() -> None:
        line, _ = listener.accept()
        with line, listener:
            heard.append(line.makefile("rb").readline())
            line.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return heard


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (b'{"ok":true,"result":{"handler":"epo"}}\n', {"ok": True, "result": {"handler": "epo"}, "error": ""}),
        (b'{"ok":false,"error":"nobody"}\n', {"ok": False, "result": {}, "error": "nobody"}),
        (b"", {"ok": False, "result": {}, "error": "no reply"}),
    ],
)
def test_the_agents_reply_is_given_whole(tmp_path: Path, answer: bytes, reply: dict[str, object]) -> None:
    heard = answering(tmp_path / "socket", answer)
    assert reply_to(str(tmp_path / "socket"), 2.0, {"order": "callin"}) == reply
    assert [json.loads(line) for line in heard] == [{"order": "callin"}]
