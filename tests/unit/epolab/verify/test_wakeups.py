"""Wake-ups: many agents some at a time, each with its own trouble; forgeries differ in just what they say."""

import base64
import json
import threading
from typing import Any, cast

import pytest

from epolab.errors import WorldError
from epolab.model import facts
from epolab.model.topology import Topology
from epolab.topology import load_text
from epolab.verify import wakeups
from epolab.verify.wakeups import AGENTS_AT_A_TIME, caused_by, forged, wake, wakeup_id_of
from epolab.verify.witness import Ran, Witness

MANY = b"""epolab: 1
sites: {hq: {nodes: {epo: {components: [server, sql]}, pc: {components: agent, count: 60}}}}
"""

REAL = (
    b"POST /wakeup HTTP/1.1\r\nHost: pc\r\nContent-Length: 99\r\n\r\n"
    + json.dumps({"signature": "Axx", "payload": "Bxx", "nonce": "cxx"}).encode()
)


def test_forgeries_change_one_thing_and_tell_their_own_length() -> None:
    for what, request in forged(REAL):
        head, _, body = request.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        assert head.count(b"Content-Length") == 1
        changed = {
            key for key, value in json.loads(body).items() if json.loads(REAL.split(b"\r\n\r\n")[1])[key] != value
        }
        assert changed == {{"wrongly signed": "signature", "changed": "payload", "renewed": "nonce"}[what]}


@pytest.fixture(scope="module", name="many")
def many_fixture() -> Topology:
    loaded = load_text(MANY, "many.yaml")
    assert loaded.valid and loaded.topology is not None, loaded.problems
    return loaded.topology


def request_of(wakeup_id: str) -> bytes:
    payload = base64.b64encode(json.dumps({"type": "wakeup", "wakeup_id": wakeup_id}).encode()).decode()
    return b"POST /wakeup HTTP/1.1\r\n\r\n" + json.dumps({"payload": payload}).encode()


class Lab:
    """Agents that record, and call in as soon as they are woken; `mute` never records, `deaf` never calls in."""

    def __init__(self, topology: Topology, mute: str = "", deaf: str = "") -> None:
        self.topology, self._mute, self._deaf = topology, mute, deaf
        self.batches: list[list[str]] = []
        self._markers: dict[str, str] = {}
        self._woken = {node.path: threading.Event() for node in topology.nodes}
        self._calls: list[dict[str, Any]] = []

    def must(self, path: str, command: str, line: str = "") -> str:
        return json.dumps({"asci_seconds": 300.0})

    def run(self, path: str, command: str, line: str = "") -> Ran:
        return Ran(0 if self._markers.get(path, "no recording") in command else 1, "", "")

    def python(self, path: str, program: str, asked: dict[str, Any], line: str) -> dict[str, str]:
        if path == self._mute:
            raise WorldError(f"{path}: no ssh connection")
        self._markers[path] = asked["marker"]
        assert self._woken[path].wait(10)
        return {"request": request_of(f"id of {path}").hex(), "source": "10.0.0.1"}

    def api(self, command: str, **arguments: str) -> Any:
        if command == "miniepo.now":
            return 100.0
        if command == "miniepo.listCallins":
            return self._calls
        names = arguments["names"].split(",")
        self.batches.append(names)
        for node in self.topology.nodes:
            if node.fqdn in names:
                self._calls.append({"fqdn": node.fqdn, "wakeup_id": "an earlier one", "received": 100.1})
                if node.path != self._deaf:
                    self._calls.append({"fqdn": node.fqdn, "wakeup_id": f"id of {node.path}", "received": 100.5})
                self._woken[node.path].set()
        return "completed"


def test_many_agents_are_woken_some_at_a_time(many: Topology) -> None:
    lab = Lab(many)
    woken = wake(cast(Witness, lab), facts.agents(many), {})
    assert len(woken) == sum(map(len, lab.batches)) == 60
    assert max(map(len, lab.batches)) == AGENTS_AT_A_TIME
    assert all(call.wakeup_id == f"id of {path}" for path, call in woken.items())
    assert {(call.seconds, call.asci_seconds, call.trouble) for call in woken.values()} == {(0.5, 300.0, "")}


def test_an_agent_that_cannot_be_watched_is_told_and_the_others_are_woken(
    many: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeups, "READY_LIMIT_SECONDS", 0.3)
    agents = facts.agents(many)[:3]
    lab = Lab(many, mute=agents[0].path)
    woken = wake(cast(Witness, lab), agents, {agents[1].path: "it does not slow down"})
    assert woken[agents[0].path].trouble == f"{agents[0].path} records what comes to its port: not within 0.3 s"
    assert woken[agents[1].path].trouble == "it does not slow down"
    assert lab.batches == [[agents[2].fqdn]]
    assert woken[agents[2].path].seconds == 0.5


def test_a_call_in_of_an_earlier_wakeup_is_not_taken_for_this_ones(
    many: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeups, "CALLIN_LIMIT_SECONDS", 0.5)
    agents = facts.agents(many)[:2]
    woken = wake(cast(Witness, Lab(many, deaf=agents[0].path)), agents, {})
    assert [woken[node.path].seconds for node in agents] == [None, 0.5]


def test_the_id_is_read_from_what_came_in() -> None:
    assert wakeup_id_of(request_of("one")) == "one"
    assert wakeup_id_of(REAL) == wakeup_id_of(b"") == ""
    calls = [{"fqdn": "pc", "wakeup_id": each} for each in (None, "zero", "one")]
    assert caused_by("one", "pc", calls) == calls[2]
    assert caused_by("", "pc", calls) == calls[1]
    assert caused_by("two", "pc", calls) is caused_by("one", "other", calls) is None
