"""What the server says about readiness."""

import json
from dataclasses import replace

import pytest

from epolab.errors import ContainerError
from epolab.hands.files import LabFolder, write_private
from epolab.hands.run import Completed
from epolab.hands.until import seconds
from epolab.steps.progress import Silent
from epolab.steps.ready import LIMIT_SECONDS, Wait, ask, limit_seconds, missing, parse, sleepers
from epolab.steps.wakeup import Waker
from epolab.steps.work import Work

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


class Sleepy:
    """A server two of whose agents become current only when they are woken."""

    NAMES = ("pc-1.hq.test", "far.tokyo.test")

    def __init__(self):
        self.woken = []

    def exec(self, name, argv, stdin=b"", limit_seconds=None):
        config = stdin.decode()
        if "system.wakeupAgent" in config:
            self.woken += [line for line in config.splitlines() if "names=" in line]
            return Completed(0, b'OK:\r\n"completed: 2"', b"")
        systems = [{"fqdn": fqdn, "enrolled": True, "ready": bool(self.woken)} for fqdn in self.NAMES]
        return Completed(0, b"OK:\r\n" + json.dumps({**READY, "systems": systems, "repositories": []}).encode(), b"")


def test_agents_that_would_call_in_late_are_woken(topology, tmp_path):
    server, folder = Sleepy(), LabFolder(tmp_path / "lab").make()
    write_private(folder.path / "secrets" / "admin.password", b"hush\n")
    work = Work(topology, "lab", "me", None, server, folder, Silent())
    wait = Wait(work, Waker(topology), seconds())
    assert wait.is_over() is False
    assert (server.woken, wait.waited, len(wait.last)) == ([], True, 2)
    wait.began -= 3600
    assert wait.is_over() is False
    assert wait.is_over() is True
    assert server.woken == ['data-urlencode = "names=pc-1.hq.test,far.tokyo.test"']
