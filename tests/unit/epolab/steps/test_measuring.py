"""A measurement is alone on the lab, and the lab is silent for it."""

from contextlib import contextmanager

import pytest

from epolab.errors import LabBusyError
from epolab.hands.files import LabFolder
from epolab.provider import fabric, node
from epolab.steps import certify, wan
from epolab.steps.alone import alone
from epolab.steps.declaration import keep_topology
from epolab.steps.labs import find_lab
from epolab.steps.measuring import measure_alone
from epolab.steps.phase import failure_noted, write_phase
from epolab.steps.progress import Silent
from epolab.steps.work import Work
from epolab.verify.turns import turn


@pytest.fixture(name="folder")
def folder_fixture(world, fabric_props, node_props, runtime):
    fabric.create(world, fabric_props)
    for name in ("epo", "pc-1"):
        node.create(world, node_props | {"path": f"hq/{name}"})
    runtime.stop("lab.hq.pc-1")
    return LabFolder.of("lab").make()


@pytest.fixture(name="heard")
def heard_fixture(monkeypatch, folder):
    """What happens, in order; a measurement tells whether others could have their turn."""
    heard = []

    @contextmanager
    def quiet(witness):
        heard.append(("paused", [node.path for node in witness.topology.nodes]))
        yield
        heard.append("goes on")

    def measure(topology, lab, docker, out, only=None):
        with pytest.raises(LabBusyError), turn(lab.path, alone=False, limit_seconds=0):
            raise AssertionError("not alone")
        heard.append(("measured", only))
        return {"links": {}}

    def until_still(read_counters):
        heard.append(("still", read_counters()))

    monkeypatch.setattr("epolab.verify.quiet.quiet", quiet)
    monkeypatch.setattr("epolab.verify.quiet.until_still", until_still)
    monkeypatch.setattr("epolab.verify.measure.measure", measure)
    return heard


def tell(_text):
    return None


IN_SILENCE = [("paused", ["hq/epo"]), ("still", {}), ("measured", None), "goes on"]


def test_before_roles_were_applied_there_is_nobody_to_silence(topology, folder, runtime, heard):
    assert measure_alone(topology, folder, runtime, tell, tell) == {"links": {}}
    assert heard == [("measured", None)]


def test_the_services_of_nodes_that_run_are_paused(topology, folder, runtime, heard):
    folder.write_json("digests.json", {})
    measure_alone(topology, folder, runtime, tell, tell)
    assert heard == IN_SILENCE


def test_up_measures_a_lab_that_lives_in_silence(topology, folder, runtime, heard):
    folder.write_json("digests.json", {})
    assert certify.run(Work(topology, "lab", "me", None, runtime, folder, Silent())) is True
    assert heard == IN_SILENCE


def test_up_tells_for_whom_it_waits_and_leaves_the_phase_as_it_was(topology, folder, runtime, heard, monkeypatch):
    monkeypatch.setattr(certify, "alone", lambda path, warn: alone(path, warn, limit_seconds=0))
    said = []
    monkeypatch.setattr(Silent, "warn", lambda self, text: said.append(text))
    work = Work(topology, "lab", "me", None, runtime, folder, Silent())
    write_phase(work, find_lab(runtime, "lab"), "ready")
    with turn(folder.path, alone=False), pytest.raises(LabBusyError), failure_noted(work):
        certify.run(work)
    assert (heard, runtime.documents["phase"]["phase"]) == ([], "ready")
    assert [line.partition(" by ")[0] for line in said] == ["waiting: the lab is examined or measured"]


@pytest.mark.parametrize(("wanted", "only"), [(None, None), ("hq-tokyo", {"hq-tokyo"})])
def test_one_link_is_measured_alone(topology, folder, runtime, heard, tmp_path, monkeypatch, wanted, only):
    keep_topology(folder, tmp_path / "small.yaml")
    replayed = []
    monkeypatch.setattr(wan, "replay_notes", lambda docker, lab, topology, warn: replayed.append(lab))
    (document,) = wan.measure_links(runtime, "lab", wanted, tell, tell)
    assert document["name"] == "hq-tokyo"
    assert heard == [("measured", only)]
    assert replayed == ["lab"]
