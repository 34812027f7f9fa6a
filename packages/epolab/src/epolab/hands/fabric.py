"""The client of a fabric's worker: one open stream of JSON lines, shared by threads, opened again when it broke."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from epolab.errors import FabricError, TimeoutExceededError

WORKER = ("python3", "-m", "epolab_fabric.worker")
# Operations take milliseconds. A container that is removed under its stream ends neither the stream nor an answer.
ANSWER_SECONDS = 60.0


class ExecStream(Protocol):
    """A command in a container, spoken to by lines."""

    def write(self, data: bytes) -> None:
        """Send bytes at once."""

    def read_line(self, limit_seconds: float | None = None) -> bytes:
        """The next line with its end; b"" at the end; TimeoutExceededError when it does not come in time."""

    def complaint(self) -> str:
        """What the command said on standard error, once its output has ended."""

    def close(self) -> None:
        """End the command."""


class StreamOpener(Protocol):
    """Whatever can keep a command open in a container."""

    def exec_stream(self, name: str, argv: Sequence[str]) -> ExecStream:
        """Start the command."""


class Fabric:
    """The worker of one lab; its operations are idempotent, so a broken stream is opened again and asked again."""

    def __init__(self, opened: Callable[[], ExecStream]) -> None:
        self._open = opened
        self._stream: ExecStream | None = None
        self._count = 0
        self._gate = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def call(self, op: str, **args: Any) -> Any:
        """The result of one operation; FabricError when the worker refuses, fails or is not there."""
        with self._gate:
            try:
                answer = self._ask(op, args)
            except _StreamEnded:
                answer = self._ask_again(op, args)
        if not answer["ok"]:
            error = answer["error"]
            raise FabricError(f"{op} {_subject(args)}: {error['message']}".strip(), evidence=[error["type"]])
        return answer["result"]

    def close(self) -> None:
        """End the worker."""
        with self._gate:
            self._drop()

    def _ask_again(self, op: str, args: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._ask(op, args)
        except _StreamEnded as ended:
            raise FabricError(f"{op}: the fabric's worker ended", evidence=str(ended).splitlines()[-10:]) from ended

    def _ask(self, op: str, args: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        stream = self._stream = self._stream or self._open()
        try:
            stream.write(json.dumps({"id": self._count, "op": op, "args": args}).encode() + b"\n")
            line = stream.read_line(ANSWER_SECONDS)
        except OSError:
            line = b""
        except TimeoutExceededError as late:
            self._drop()
            raise FabricError(
                f"{op} {_subject(args)}".strip() + f": the fabric's worker gave {late.message}",
                hint="the fabric may have been removed or replaced meanwhile: epolab status, then epolab up",
            ) from late
        if not line.endswith(b"\n"):
            complaint = stream.complaint()
            self._drop()
            raise _StreamEnded(complaint)
        answer: dict[str, Any] = json.loads(line)
        if answer["id"] != self._count:
            self._drop()
            raise FabricError(f"{op}: the fabric's worker answered request {answer['id']}, not {self._count}")
        return answer

    def _drop(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


class _StreamEnded(Exception):
    """The worker's stream ended where an answer was due."""


def _subject(args: dict[str, Any]) -> str:
    return str(args.get("path") or args.get("name") or "")


def open_fabric(docker: StreamOpener, container: str) -> Fabric:
    """The worker in a fabric's container; it is started by the first call."""
    return Fabric(lambda: docker.exec_stream(container, WORKER))
