"""Places on nodes and on this host."""

import pytest

from epolab.errors import ArgumentError, CommandFailedError, ConnectionFailedError, ServiceNotFoundError
from epolab.hands.run import Completed
from epolab.steps import node as module
from epolab.steps.labs import Member
from epolab.steps.node import Target, attach, capture, copy, log_command, split_place

PC = Target("lab", "hq/pc", Member("lab.hq.pc", "id", "hq/pc", "container", (), True))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("notes.txt", (None, "notes.txt")),
        ("/a:b", (None, "/a:b")),
        ("./a:b", (None, "./a:b")),
        ("pc-1:/etc/hosts", ("pc-1", "/etc/hosts")),
        ("pc-1:", ("pc-1", ".")),
        ("lab:hq/pc-1:/x", ("lab:hq/pc-1", "/x")),
    ],
)
def test_a_place(text, place):
    assert split_place(text) == place


@pytest.mark.parametrize(("source", "destination"), [("a", "b"), ("n:a", "m:b")])
def test_exactly_one_end_is_on_a_node(source, destination):
    with pytest.raises(ArgumentError, match="exactly one"):
        copy(source, destination)


@pytest.fixture(name="programs")
def programs_fixture(monkeypatch):
    """How `ssh … true` (the connection itself) and everything else end."""
    ends = {"connection": (0, b""), "work": (0, b"")}

    def run(argv, limit_seconds=None):
        code, complaint = ends["connection" if argv[-1] == "true" else "work"]
        return Completed(code, b"", complaint)

    monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(module, "run_attached", lambda argv: ends["work"][0])
    monkeypatch.setattr(module, "find_target", lambda text: PC)
    return ends


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_a_commands_own_exit_code_passes_through(programs, code):
    programs["work"] = (code, b"")
    assert attach(PC, ["sh"]) == code
    assert capture(PC, ["sh"]).exit_code == code


@pytest.mark.parametrize("act", [attach, capture])
def test_a_node_that_is_not_reached_is_the_worlds_failure(programs, act):
    programs["work"] = programs["connection"] = (255, b"container is not running")
    with pytest.raises(ConnectionFailedError, match="hq/pc: no ssh connection: container is not running") as failed:
        act(PC, ["sh"])
    assert failed.value.exit_code == 4


def test_nobody_connects_again_for_a_reader_that_went_away(programs, monkeypatch):
    programs["work"] = programs["connection"] = (255, b"")
    monkeypatch.setattr(module, "is_reader_gone", lambda: True)
    assert attach(PC, ["tail"]) == 255


@pytest.mark.parametrize(
    ("connection", "complaint", "error"),
    [
        (255, b"Connection closed", ConnectionFailedError),
        (0, b"scp: /nowhere/x: No such file or directory", ArgumentError),
        (0, b"scp: /etc: not a regular file", ArgumentError),
        (0, b"scp: write remote /root/x: No space left on device", CommandFailedError),
    ],
)
def test_whose_fault_a_copy_that_fails_is(programs, connection, complaint, error):
    programs["work"], programs["connection"] = (1, complaint), (connection, b"Connection closed")
    with pytest.raises(error):
        copy("pc:/x", ".")


def test_what_is_not_on_this_host_cannot_be_copied(programs, tmp_path):
    with pytest.raises(ArgumentError, match="no such file on this host"):
        copy(str(tmp_path / "nothing"), "pc:/root/")
    copy(str(tmp_path), "pc:/root/")


def test_without_any_log_there_is_nothing_to_show(programs):
    with pytest.raises(ServiceNotFoundError, match="hq/pc has no logs yet"):
        log_command(PC, None, follow=False, lines=5)
