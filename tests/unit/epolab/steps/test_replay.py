"""Which notes of a killed verification are replayed, dropped or left for later."""

import os
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from epolab.errors import NotReadyError, WorldError
from epolab.hands.files import LabFolder
from epolab.hands.journal import Journal, Undo
from epolab.steps.alone import alone
from epolab.steps.replay import Standing, fate, left_disturbed, replay_notes, replay_possible, standing
from epolab.verify.turns import turn
from epolab.verify.witness import Witness

WRITTEN = 1000.0
OLD = Standing(running=True, created=10.0, started=20.0)
RESTARTED = Standing(running=True, created=10.0, started=2000.0)
NEW = Standing(running=True, created=1999.0, started=2000.0)
STOPPED = Standing(running=False, created=10.0, started=20.0)
PASSING = Undo("hq/pc-1", "sv up cmdagent", "agent stopped")
STORED = Undo("hq/epo", "delete policy", "policy", keepers=("hq/epo", "hq/sql"))


@pytest.mark.parametrize(
    ("there", "verdict"),
    [(OLD, "restore"), (RESTARTED, "drop"), (NEW, "drop"), (STOPPED, "keep"), (None, "keep")],
)
def test_what_lived_in_processes_is_gone_with_them(there, verdict):
    assert fate(PASSING, WRITTEN, {"hq/pc-1": there}) == verdict


@pytest.mark.parametrize(
    ("server", "database", "verdict"),
    [
        (OLD, OLD, "restore"),
        (RESTARTED, RESTARTED, "restore"),
        (NEW, OLD, "restore"),
        (OLD, NEW, "restore"),
        (NEW, NEW, "drop"),
        (STOPPED, OLD, "keep"),
        (OLD, STOPPED, "keep"),
    ],
)
def test_what_lies_on_disks_is_gone_when_all_of_them_are(server, database, verdict):
    assert fate(STORED, WRITTEN, {"hq/epo": server, "hq/sql": database}) == verdict


def test_a_node_that_is_not_declared_any_more_has_nothing_to_put_back():
    assert fate(PASSING, WRITTEN, {"hq/other": OLD}) == "drop"


def inspected(at, *, running=True):
    text = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
    return {"Created": text, "State": {"Running": running, "StartedAt": text}}


class Runtime:
    """Containers of node paths, each as old as it is said to be."""

    def __init__(self, **ages):
        self.here = {f"lab.hq.{name.replace('_', '-')}": inspected(at) for name, at in ages.items()}

    def inspect(self, name):
        return self.here.get(name)


def test_the_engines_moments_are_read():
    seen = standing(Runtime(epo=1000.0), "lab.hq.epo")
    assert seen == Standing(True, pytest.approx(1000.123456), pytest.approx(1000.123456))
    assert standing(Runtime(), "lab.hq.epo") is None


@pytest.fixture(name="scene")
def scene_fixture(tmp_path, monkeypatch, topology):
    """A lab with a note of each kind, written at WRITTEN; what is put back is only listed."""
    monkeypatch.setenv("EPOLAB_HOME", str(tmp_path))
    done = []
    monkeypatch.setattr(Witness, "put_back", lambda _, undo: done.append(undo))
    monkeypatch.setattr(Witness, "api", lambda *_, **__: 0.0)
    folder = LabFolder.of("lab").make().path
    journal = Journal(folder / "journal", done.append)
    for undo in (STORED, PASSING):
        os.utime(journal._note(undo), (WRITTEN, WRITTEN))
    return SimpleNamespace(done=done, folder=folder, journal=journal, topology=topology)


def warn(_text):
    return None


def left(scene):
    return {undo for _, undo in scene.journal.pending()}


def test_each_kind_has_its_time(scene):
    runtime = Runtime(epo=1.0, sql=1.0, pc_1=1.0)
    replay_notes(runtime, "lab", scene.topology, warn, ["passing"])
    assert (scene.done, left(scene)) == ([PASSING], {STORED})
    replay_notes(runtime, "lab", scene.topology, warn, ["stored"])
    assert (scene.done, left(scene)) == ([PASSING, STORED], set())


def test_a_recreated_node_is_not_touched(scene):
    replay_notes(Runtime(epo=2000.0, sql=2000.0, pc_1=2000.0), "lab", scene.topology, warn)
    assert (scene.done, left(scene)) == ([], set())


def test_a_missing_node_is_told_and_its_note_kept(scene):
    with pytest.raises(NotReadyError, match="hq/pc-1 does not run") as caught:
        replay_notes(Runtime(epo=1.0, sql=1.0), "lab", scene.topology, warn, ["passing"])
    assert "epolab up" in caught.value.hint
    assert (scene.done, left(scene)) == ([], {STORED, PASSING})


def test_what_waits_for_a_node_keeps_nothing_else_back(scene):
    with pytest.raises(NotReadyError, match="hq/pc-1 does not run"):
        replay_notes(Runtime(epo=1.0, sql=1.0), "lab", scene.topology, warn)
    assert (scene.done, left(scene)) == ([STORED], {PASSING})


def test_what_cannot_be_put_back_keeps_nothing_else_back(scene, monkeypatch):
    def put_back(_, undo):
        if undo == PASSING:
            raise WorldError("sv does not answer")
        scene.done.append(undo)

    monkeypatch.setattr(Witness, "put_back", put_back)
    with pytest.raises(WorldError, match="sv does not answer"):
        replay_notes(Runtime(epo=1.0, sql=1.0, pc_1=1.0), "lab", scene.topology, warn)
    assert (scene.done, left(scene)) == ([STORED], {PASSING})


def test_what_waits_is_told_by_the_nodes_that_do_not_run(scene):
    assert replay_possible(Runtime(epo=1.0), "lab", scene.topology, warn) == {
        "hq/sql": "policy",
        "hq/pc-1": "agent stopped",
    }
    assert left(scene) == {STORED, PASSING}


def test_what_is_gone_with_its_node_is_left_disturbed_no_more(scene):
    def disturbed(**ages):
        return {undo.reason for undo in left_disturbed(Runtime(**ages), "lab", scene.topology)}

    assert disturbed(epo=1.0, sql=1.0, pc_1=1.0) == {"agent stopped", "policy"}
    assert disturbed(epo=1.0, sql=1.0) == {"agent stopped", "policy"}
    assert disturbed(epo=1.0, sql=1.0, pc_1=2000.0) == {"policy"}
    assert left(scene) == {STORED, PASSING}


def test_nothing_is_replayed_while_a_living_verification_has_the_lab(scene, monkeypatch):
    monkeypatch.setattr("epolab.steps.replay.alone", lambda folder, warn: alone(folder, warn, limit_seconds=0))
    with turn(scene.folder, alone=False), pytest.raises(WorldError):
        replay_notes(Runtime(epo=1.0, sql=1.0, pc_1=1.0), "lab", scene.topology, warn)
    assert scene.done == []
    replay_notes(Runtime(epo=1.0, sql=1.0, pc_1=1.0), "lab", scene.topology, warn)
    assert scene.done == [PASSING, STORED]


def test_a_server_that_was_just_started_is_waited_for(scene, monkeypatch):
    answers = iter([WorldError("connection refused"), None])

    def api(*_, **__):
        answer = next(answers)
        if answer:
            raise answer
        return 0.0

    monkeypatch.setattr(Witness, "api", api)
    replay_notes(Runtime(epo=1.0, sql=1.0, pc_1=1.0), "lab", scene.topology, warn)
    assert scene.done == [PASSING, STORED]
    assert next(answers, "all asked") == "all asked"
