"""What the server says about readiness."""

import json
import threading
from dataclasses import replace

import pytest

from epolab.errors import ContainerError, TimeoutExceededError
from epolab.hands.files import LabFolder, write_private
from epolab.hands.run import Completed
from epolab.hands.until import seconds, until
from epolab.steps.progress import Silent
from epolab.steps.ready import LIMIT_SECONDS, Wait, ask, is_only_late, limit_seconds, missing, parse, sleepers
from epolab.steps.wakeup import AGAIN_SECONDS, PATIENCE_SECONDS, Waker
from epolab.steps.work import Work
from epolab.topology import load_topology

READY = {
    "systems": [{"name": "pc-1", "fqdn": "pc-1.hq.test", "ready": True}],
    "repositories": [{"name": "ePOSA_PC-1", "fqdn": "pc-1.hq.test", "ready": True}],
    "handlers": [{"name": "hq/epo", "fqdn": "epo.hq.test", "ready": True}],
}
DECLARED = (["pc-1.hq.test"], ["epo.hq.test"])


def test_nothing_is_missing():
    assert missing(READY, *DECLARED) == []


def test_a_system_that_never_called_in_is_missed():
    assert missing(READY, ["pc-1.hq.test", "pc-2.hq.test"]) == ["pc-2.hq.test: has not called in"]


@pytest.mark.parametrize("kind", ["systems", "repositories", "handlers"])
def test_what_is_there_but_not_ready_is_named(kind):
    document = READY | {kind: [READY[kind][0] | {"ready": False, "problems": "slow"}]}
    assert missing(document, *DECLARED) == [f"{READY[kind][0]['fqdn']} ({kind}): slow"]


@pytest.mark.parametrize("kind", ["systems", "repositories", "handlers"])
def test_what_is_not_declared_any_more_is_not_waited_for(kind):
    gone = {"name": "gone", "fqdn": "gone.hq.test", "ready": False}
    assert missing(READY | {kind: [*READY[kind], gone]}, *DECLARED) == []


def test_two_of_one_name_are_told_apart():
    systems = [{"name": "pc", "fqdn": fqdn, "ready": fqdn == "pc.a.test"} for fqdn in ("pc.a.test", "pc.b.test")]
    assert missing(READY | {"systems": systems}, ["pc.a.test", "pc.b.test"]) == ["pc.b.test (systems): not ready"]


class Server:
    """A server's container, in which a program is run."""

    def __init__(self):
        self.config = ""

    def exec(self, name, argv, stdin=b"", limit_seconds=None):
        self.config = stdin.decode()
        return Completed(0, b'OK:\r\n{"systems": []}', b"")


def test_the_password_goes_to_the_labs_own_server_alone(topology, tmp_path):
    server, folder = Server(), LabFolder(tmp_path / "lab").make()
    write_private(folder.path / "secrets" / "admin.password", b"hush\n")
    assert ask(Work(topology, "lab", "me", None, server, folder, Silent())) == {"systems": []}
    lines = server.config.splitlines()
    assert 'user = "admin:hush"' in lines
    assert 'cacert = "/etc/miniepo/ca.pem"' in lines
    assert "insecure" not in lines


def test_the_web_apis_answer():
    assert parse('OK:\r\n{"systems": []}') == {"systems": []}


@pytest.mark.parametrize("text", ["", "Error 1 :\r\nno", "<html>"])
def test_another_answer_is_a_failure(text):
    with pytest.raises(ContainerError):
        parse(text)


def test_a_system_that_is_enrolled_and_not_current_is_one_to_wake():
    systems = [
        {"fqdn": "new", "enrolled": False, "ready": False},
        {"fqdn": "old", "enrolled": True, "ready": False},
        {"fqdn": "current", "enrolled": True, "ready": True},
    ]
    assert sleepers(READY | {"systems": systems}) == ["old"]


def test_the_wait_is_as_long_as_those_need_that_nobody_can_wake(topology, monkeypatch):
    assert limit_seconds(topology) == LIMIT_SECONDS
    far = replace(topology.node("tokyo/far"), asci_seconds=300.0)
    monkeypatch.setattr("epolab.steps.ready.unreached", lambda topology: [far])
    assert limit_seconds(topology) == LIMIT_SECONDS + 600.0


def waiting(topology, tmp_path, server):
    """A wait for a lab with this server."""
    folder = LabFolder(tmp_path / "lab").make()
    write_private(folder.path / "secrets" / "admin.password", b"hush\n")
    return Wait(Work(topology, "lab", "me", None, server, folder, Silent()), Waker(topology), seconds())


class Sleepy:
    """A server two of whose agents become current only when they are woken; `stuck` wake-ups fail after `gate`."""

    NAMES = ("pc-1.hq.test", "far.tokyo.test")

    def __init__(self, *, stuck: bool = False):
        self.woken = []
        self.stuck = stuck
        self.gate = threading.Event()

    def exec(self, name, argv, stdin=b"", limit_seconds=None):
        config = stdin.decode()
        if "system.wakeupAgent" in config:
            self.woken.append([line.split('"')[1] for line in config.splitlines() if line.startswith("data-")])
            if self.stuck:
                self.gate.wait(10)
                return Completed(28, b"", b"Operation timed out")
            return Completed(0, b'OK:\r\n"completed: 2"', b"")
        current = bool(self.woken) and not self.stuck
        systems = [{"fqdn": fqdn, "enrolled": True, "ready": current} for fqdn in self.NAMES]
        return Completed(0, b"OK:\r\n" + json.dumps({**READY, "systems": systems, "repositories": []}).encode(), b"")


def test_agents_that_would_call_in_late_are_woken(topology, tmp_path):
    server = Sleepy()
    wait = waiting(topology, tmp_path, server)
    assert wait.is_over() is False
    assert (server.woken, wait.waited, len(wait.last)) == ([], True, 2)
    wait.began -= PATIENCE_SECONDS
    assert wait.is_over() is False
    until(wait.is_over, what="the agents are current", limit_seconds=10)
    assert server.woken == [["names=pc-1.hq.test,far.tokyo.test", "attempts=1", "abortAfterMinutes=1", ":output=json"]]


def test_a_wake_up_that_fails_hides_nothing_and_holds_nobody_up(topology, tmp_path):
    server = Sleepy(stuck=True)
    wait = waiting(topology, tmp_path, server)
    wait.began -= PATIENCE_SECONDS
    for _ in range(2):
        assert wait.is_over() is False
        assert wait.last == [f"{name} (systems): not ready" for name in server.NAMES]
    wait.began -= AGAIN_SECONDS
    assert wait.is_over() is False
    server.gate.set()
    until(lambda: not wait.is_over() and wait._waking is None, what="the failure is seen", limit_seconds=10)
    assert wait.last == [f"{name} (systems): not ready" for name in server.NAMES]
    assert len(server.woken) == 1
    wait.began -= AGAIN_SECONDS
    assert wait.is_over() is False
    until(lambda: len(server.woken) == 2, what="the next wake-up, so long after the end of the last", limit_seconds=10)


def test_only_agents_that_nobody_can_wake_are_waited_for_longer(topology, tmp_path, monkeypatch):
    far = replace(topology.node("tokyo/far"), asci_seconds=300.0)
    monkeypatch.setattr("epolab.steps.ready.unreached", lambda topology: [far])
    pc, late = {"fqdn": "pc-1.hq.test", "ready": True}, {"fqdn": "far.tokyo.test", "ready": False, "enrolled": True}
    assert is_only_late(READY | {"systems": [pc, late]}, topology)
    assert not is_only_late(READY | {"systems": [pc, late | {"enrolled": False}]}, topology)
    assert not is_only_late(READY | {"systems": [pc | {"ready": False, "enrolled": True}, late]}, topology)
    assert not is_only_late(READY | {"systems": [late]}, topology)
    handler = READY["handlers"][0] | {"ready": False}
    assert not is_only_late(READY | {"systems": [pc, late], "handlers": [handler]}, topology)


def test_what_can_be_woken_is_given_up_in_time(topology, tmp_path, monkeypatch):
    monkeypatch.setattr("epolab.steps.ready.unreached", lambda topology: [topology.node("tokyo/far")])
    wait = waiting(topology, tmp_path, Sleepy(stuck=True))
    wait.began -= LIMIT_SECONDS
    with pytest.raises(TimeoutExceededError, match="the lab becomes ready: not within 240 s"):
        wait.is_over()
    assert len(wait.last) == 2
    server = Sleepy(stuck=True)
    server.NAMES = ("far.tokyo.test",)
    monkeypatch.setattr("epolab.steps.ready.facts.agents", lambda topology: [topology.node("tokyo/far")])
    wait = waiting(topology, tmp_path, server)
    wait.began -= LIMIT_SECONDS
    assert wait.is_over() is False


SWARM = """epolab: 1
asci: 60s
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      crowd: {swarm: 300}
"""


class Filling(Sleepy):
    """A server that more and more agents of a swarm have called in to."""

    def __init__(self) -> None:
        super().__init__()
        self.here = 0

    def exec(self, name, argv, stdin=b"", limit_seconds=None):
        systems = [{"fqdn": f"crowd-{number:04d}.hq.test", "ready": True} for number in range(1, self.here + 1)]
        return Completed(0, b"OK:\r\n" + json.dumps({**READY, "systems": systems, "repositories": []}).encode(), b"")


def test_every_agent_of_a_swarm_is_waited_for_as_long_as_more_of_them_come(tmp_path):
    (tmp_path / "crowd.yaml").write_text(SWARM)
    topology = load_topology(tmp_path / "crowd.yaml")
    assert limit_seconds(topology) == LIMIT_SECONDS + 2 * 60 + 300 / 10
    server = Filling()
    wait = waiting(topology, tmp_path, server)
    assert wait.is_over() is False and len(wait.last) == 300
    wait.began -= LIMIT_SECONDS
    server.here = 150
    assert wait.is_over() is False and wait.last[0] == "crowd-0151.hq.test: has not called in"
    assert wait.late is not None
    wait.late -= LIMIT_SECONDS
    with pytest.raises(TimeoutExceededError):
        wait.is_over()
    server.here = 300
    assert wait.is_over() is True
