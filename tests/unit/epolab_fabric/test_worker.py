"""The worker's protocol, with neighbours that only note what they are told."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from epolab_fabric.documents import Documents
from epolab_fabric.errors import NamespaceFault
from epolab_fabric.requests import LinkRecord, NodeRecord
from epolab_fabric.worker import Worker, serve


class NotedWiring:
    def __init__(self) -> None:
        self.noted: list[Any] = []

    def ensure_segment(self, path: str) -> int:
        self.noted.append(("segment", path))
        return 3

    def wire_node(self, node: NodeRecord) -> None:
        if node.pid == 1:
            raise NamespaceFault("process 1 is no node")
        self.noted.append(node)

    def unwire_node(self, path: str) -> None:
        raise AssertionError("our own mistake")


class NotedLinks:
    def __init__(self) -> None:
        self.applied: list[LinkRecord] = []

    def apply(self, link: LinkRecord) -> None:
        self.applied.append(link)

    def counters(self) -> dict[str, Any]:
        return {"a-b": {}}


@pytest.fixture
def neighbours() -> tuple[NotedWiring, NotedLinks]:
    return NotedWiring(), NotedLinks()


@pytest.fixture
def worker(tmp_path: Path, neighbours: tuple[NotedWiring, NotedLinks]) -> Worker:
    return Worker(Documents(tmp_path), *neighbours)  # type: ignore[arg-type]


def ask(worker: Worker, op: str, **args: Any) -> Any:
    return worker.answer(json.dumps({"id": 5, "op": op, "args": args}).encode())


def test_every_answer_carries_the_number_of_its_request(worker: Worker) -> None:
    requests = io.BytesIO(b'{"id": 1, "op": "ping"}\n{"id": 2, "op": "bogus"}\n')
    answers = io.BytesIO()
    serve(worker, requests, answers)
    first, second = (json.loads(line) for line in answers.getvalue().splitlines())
    assert first == {"id": 1, "ok": True, "result": "pong"}
    assert (second["id"], second["ok"], second["error"]["type"]) == (2, False, "RequestInvalidFault")


def test_arguments_become_records(worker: Worker, neighbours: tuple[NotedWiring, NotedLinks]) -> None:
    assert ask(worker, "segment_ensure", path="a/lan")["result"] is True
    assert ask(worker, "node_wire", pid=7, path="a/pc", interfaces=[])["ok"]
    assert neighbours[0].noted == [("segment", "a/lan"), NodeRecord(7, "a/pc", (), (), {})]
    assert ask(worker, "link_counters")["result"] == {"a-b": {}}


def test_a_fault_is_an_answer(worker: Worker) -> None:
    answer = ask(worker, "node_wire", pid=1, path="a/pc", interfaces=[])
    assert answer["error"] == {"type": "NamespaceFault", "message": "process 1 is no node"}
    assert ask(worker, "segment_ensure", wrong="a/lan")["error"]["type"] == "TypeError"
    assert worker.answer(b"no json")["ok"] is False


def test_our_own_mistake_is_shown_and_the_worker_goes_on(worker: Worker, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(worker, "node_unwire", path="a/pc")["error"]["type"] == "AssertionError"
    assert "Traceback" in capsys.readouterr().err
    assert ask(worker, "ping")["ok"]


def test_the_phase_and_other_documents_are_kept(worker: Worker) -> None:
    assert ask(worker, "phase_read")["result"] is None
    ask(worker, "phase_write", phase="creating", creator={"host": "h", "pid": 1, "started": "now"})
    assert ask(worker, "phase_read")["result"]["creator"]["pid"] == 1
    ask(worker, "document_write", name="lease", value={"expires": "x"})
    assert ask(worker, "document_read", name="lease")["result"] == {"expires": "x"}
