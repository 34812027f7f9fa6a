import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from epolab.errors import FabricError, TimeoutExceededError
from epolab.hands.fabric import WORKER, Fabric, open_fabric

Answer = Callable[[dict[str, Any]], bytes]


def echo(request: dict[str, Any]) -> bytes:
    return json.dumps({"id": request["id"], "ok": True, "result": request["args"]}).encode() + b"\n"


class BookStream:
    """A worker that answers by a function."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._lines: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self._lines.append(self._answer(json.loads(data)))

    def read_line(self, limit_seconds: float | None = None) -> bytes:
        return self._lines.pop(0)

    def complaint(self) -> str:
        return "the container is gone"

    def close(self) -> None:
        self.closed = True


def test_a_call_gives_the_workers_result() -> None:
    with Fabric(lambda: BookStream(echo)) as fabric:
        assert fabric.call("segment_ensure", path="a/lan") == {"path": "a/lan"}


def test_a_refusal_names_operation_subject_and_reason() -> None:
    def refuse(request: dict[str, Any]) -> bytes:
        error = {"type": "NamespaceFault", "message": "process 7 is gone"}
        return json.dumps({"id": request["id"], "ok": False, "error": error}).encode() + b"\n"

    with pytest.raises(FabricError, match="node_wire a/pc: process 7 is gone") as caught:
        Fabric(lambda: BookStream(refuse)).call("node_wire", path="a/pc", pid=7)
    assert caught.value.evidence == ["NamespaceFault"]


def test_a_broken_stream_is_opened_again_once() -> None:
    answers = iter([lambda _: b"", echo])
    opened: list[BookStream] = []

    def reopen() -> BookStream:
        opened.append(BookStream(next(answers)))
        return opened[-1]

    assert Fabric(reopen).call("ping", name="x") == {"name": "x"}
    assert [stream.closed for stream in opened] == [True, False]


def test_a_worker_that_stays_away_is_an_error_with_what_it_said() -> None:
    with pytest.raises(FabricError, match="worker ended") as caught:
        Fabric(lambda: BookStream(lambda _: b"")).call("ping")
    assert caught.value.evidence == ["the container is gone"]


def test_a_worker_that_never_answers_is_an_error_and_not_asked_again() -> None:
    class MuteStream(BookStream):
        def read_line(self, limit_seconds: float | None = None) -> bytes:
            assert limit_seconds is not None
            raise TimeoutExceededError(f"no answer within {limit_seconds} s")

    streams: list[MuteStream] = []

    def opened() -> MuteStream:
        streams.append(MuteStream(lambda _: b""))
        return streams[-1]

    with pytest.raises(
        FabricError, match="link_apply hq-tokyo: the fabric's worker gave no answer within 60"
    ) as caught:
        Fabric(opened).call("link_apply", name="hq-tokyo")
    assert "epolab up" in caught.value.hint
    assert [stream.closed for stream in streams] == [True]


def test_an_answer_to_another_question_is_an_error() -> None:
    stream = BookStream(lambda request: b'{"id": 99, "ok": true, "result": null}\n')
    with pytest.raises(FabricError, match="answered request 99"):
        Fabric(lambda: stream).call("ping")
    assert stream.closed


def test_threads_share_one_stream_and_get_their_own_answers() -> None:
    fabric, got = Fabric(lambda: BookStream(echo)), {}

    def call(number: int) -> None:
        got[number] = fabric.call("ping", number=number)["number"]

    threads = [threading.Thread(target=call, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {number: number for number in range(20)}


def test_the_worker_is_started_by_the_first_call() -> None:
    started: list[tuple[str, Sequence[str]]] = []

    class Opener:
        def exec_stream(self, name: str, argv: Sequence[str]) -> BookStream:
            started.append((name, argv))
            return BookStream(echo)

    with open_fabric(Opener(), "lab.fabric") as fabric:
        assert started == []
        fabric.call("ping")
    assert started == [("lab.fabric", WORKER)]
