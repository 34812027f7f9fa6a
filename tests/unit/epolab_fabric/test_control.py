import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from epolab_fabric.control import Caller, ask, listen
from epolab_fabric.errors import CableFault


def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)


def echo_operation(request: dict[str, Any]) -> Any:
    return {"was": request["op"]}


def test_a_request_in_pieces_is_answered_when_it_is_whole() -> None:
    here, there = pair()
    caller = Caller(there, echo_operation)
    assert caller.advance()  # nothing has come
    here.sendall(b'{"op": ')
    assert caller.advance()
    here.sendall(b'"state"}\n')
    assert not caller.advance()
    assert here.recv(100) == b'{"ok": true, "result": {"was": "state"}}\n'
    here.close()
    there.close()


@pytest.mark.parametrize("sent", [b"no json\n", b"{}\n"])
def test_a_broken_request_is_answered_and_breaks_nothing(sent: bytes) -> None:
    here, there = pair()
    here.sendall(sent)
    assert not Caller(there, echo_operation).advance()
    assert b'"ok": false' in here.recv(200)
    here.close()
    there.close()


def test_a_caller_that_hung_up_is_done_with() -> None:
    here, there = pair()
    here.close()
    assert not Caller(there, echo_operation).advance()
    there.close()


def serve_once(listener: socket.socket, handler: Any) -> threading.Thread:
    def serve() -> None:
        listener.setblocking(True)
        connection, _ = listener.accept()
        connection.setblocking(True)
        caller = Caller(connection, handler)
        connection.setblocking(True)
        while caller.advance():
            pass
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_what_is_asked_is_answered_over_the_socket(tmp_path: Path) -> None:
    path = tmp_path / "cable.sock"
    path.write_text("left by a dead process")
    with listen(path) as listener:
        thread = serve_once(listener, echo_operation)
        assert ask(path, "counters") == {"was": "counters"}
        thread.join()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_refusal_is_a_fault(tmp_path: Path) -> None:
    def refuse(_: dict[str, Any]) -> Any:
        raise KeyError("bogus")

    path = tmp_path / "cable.sock"
    with listen(path) as listener:
        thread = serve_once(listener, refuse)
        with pytest.raises(CableFault, match="bogus"):
            ask(path, "bogus")
        thread.join()


def test_a_cable_that_is_away_is_waited_for_only_so_long(tmp_path: Path) -> None:
    with pytest.raises(CableFault, match="does not answer"):
        ask(tmp_path / "cable.sock", "state", patience_seconds=0.05)
