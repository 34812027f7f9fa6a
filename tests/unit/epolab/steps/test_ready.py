"""What the server says about readiness."""

import pytest

from epolab.errors import ContainerError
from epolab.hands.files import LabFolder, write_private
from epolab.hands.run import Completed
from epolab.steps.progress import Silent
from epolab.steps.ready import ask, missing, parse
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
