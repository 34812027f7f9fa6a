"""The measuring programs at both ends of a link: started through the container runtime, asked by JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from inspect import getsource
from typing import Any

from epolab.errors import MeasureError
from epolab.hands.fabric import ExecStream, StreamOpener
from epolab.wan import probe_program

# Takes the program's text from standard input, so that what follows there are its requests.
_LOADER = (
    "import sys; text = sys.stdin.buffer.read(int(sys.stdin.buffer.readline())); "
    "exec(compile(text, 'link_probe', 'exec'), {'__name__': '__main__'})"
)
ARGV = ("python3", "-I", "-S", "-c", _LOADER)


class LinkEnd:
    """The program at one end; `ask` and `answer` are apart so that both ends can work at once."""

    def __init__(self, stream: ExecStream, where: str, address: str) -> None:
        self._stream, self._where, self.address = stream, where, address
        text = getsource(probe_program).encode()
        self._write(f"{len(text)}\n".encode() + text)
        self._send({"address": address})

    def ask(self, op: str, **values: Any) -> None:
        """Have the program begin an operation."""
        self._send({"op": op, **values})

    def answer(self) -> dict[str, Any]:
        """What came of the operation that was begun first; MeasureError when the network or the program failed."""
        line = self._stream.read_line()
        if not line.endswith(b"\n"):
            raise MeasureError(
                f"{self._where}: the measuring program ended", evidence=self._stream.complaint().splitlines()[-5:]
            )
        answer = json.loads(line)
        if not answer["ok"]:
            raise MeasureError(f"{self._where} ({self.address}): {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def close(self) -> None:
        """End the program."""
        self._stream.close()

    def _send(self, request: Mapping[str, Any]) -> None:
        self._write(json.dumps(request).encode() + b"\n")

    def _write(self, data: bytes) -> None:
        try:
            self._stream.write(data)
        except OSError as error:
            complaint = self._stream.complaint().splitlines()[-5:]
            raise MeasureError(f"{self._where}: the measuring program ended", evidence=complaint) from error


@contextmanager
def opened_end(docker: StreamOpener, container: str, address: str) -> Iterator[LinkEnd]:
    """A measuring program in a container, its sockets bound to an address of the link; gone afterwards."""
    stream = docker.exec_stream(container, ARGV)
    try:
        end = LinkEnd(stream, container, address)
        end.answer()
        yield end
    finally:
        stream.close()
