"""The cable's control socket: one JSON request and one JSON answer per connection, on a UNIX socket of the fabric."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from epolab_fabric.documents import DEFAULT_ROOT
from epolab_fabric.errors import CableFault

SOCKET = DEFAULT_ROOT / "cable.sock"
# The supervisor restarts a dead cable within a second.
PATIENCE_SECONDS = 5.0
PAUSE_SECONDS = 0.02

Handler = Callable[[dict[str, Any]], Any]


def listen(path: Path) -> socket.socket:
    """A listening socket at `path`; one that a dead process left there makes way."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(16)
    return listener


class Caller:
    """One accepted connection: gathers its request without ever blocking the frames' loop."""

    def __init__(self, connection: socket.socket, handler: Handler) -> None:
        self.connection, self._handler, self._held = connection, handler, b""
        connection.setblocking(False)

    def advance(self) -> bool:
        """Take what has come and answer a whole request; False when the connection is done with."""
        try:
            part = self.connection.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._held += part
        if part and not self._held.endswith(b"\n"):
            return True
        if part:
            self._answer()
        return False

    def _answer(self) -> None:
        try:
            answer: dict[str, Any] = {"ok": True, "result": self._handler(json.loads(self._held))}
        except (ValueError, KeyError, TypeError, OSError) as error:
            answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
        self.connection.setblocking(True)
        self.connection.settimeout(0.1)
        try:
            self.connection.sendall(json.dumps(answer).encode() + b"\n")
        except OSError:
            return  # The asker is gone; it asks again on a new connection.


def ask(path: Path, operation: str, patience_seconds: float = PATIENCE_SECONDS) -> Any:
    """What the cable answers; waits for a cable that is just being restarted."""
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            return _ask_once(path, operation)
        except OSError as error:
            if time.monotonic() >= deadline:
                raise CableFault(f"the cable does not answer at {path}: {error}") from error
        time.sleep(PAUSE_SECONDS)


def _ask_once(path: Path, operation: str) -> Any:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
        connection.settimeout(PATIENCE_SECONDS)
        connection.connect(str(path))
        connection.sendall(json.dumps({"op": operation}).encode() + b"\n")
        with connection.makefile("rb") as stream:
            line = stream.readline()
    if not line:
        raise ConnectionResetError("it hung up")
    answer = json.loads(line)
    if not answer["ok"]:
        raise CableFault(str(answer["error"]))
    return answer["result"]
