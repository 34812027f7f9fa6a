"""What a fabric remembers of its lab's phase."""

from dataclasses import replace

import pytest

from epolab.errors import DeployError, LabBusyError
from epolab.hands.fabric import open_fabric
from epolab.hands.files import LabFolder
from epolab.hands.process import this_process
from epolab.provider import fabric
from epolab.steps.labs import find_lab
from epolab.steps.phase import (
    begin_removal,
    creator_of,
    failure_noted,
    parse_documents,
    read_phase,
    read_stood,
    record_phase,
    write_phase,
)
from epolab.steps.progress import Silent
from epolab.steps.work import Work


@pytest.fixture(name="lab")
def lab_fixture(world, fabric_props):
    fabric.create(world, fabric_props)


def test_what_was_recorded_is_read(lab, runtime):
    with open_fabric(runtime, "lab.fabric") as worker:
        record_phase(worker, "deploying")
    phase = read_phase(runtime, find_lab(runtime, "lab"))
    assert phase["phase"] == "deploying"
    assert creator_of(phase) == this_process()
    assert phase["lease"]["owner"] == "me"


def test_without_a_living_fabric_there_is_no_phase(lab, runtime):
    runtime.stop("lab.fabric")
    assert read_phase(runtime, find_lab(runtime, "lab")) is None


def test_the_folder_remembers_that_the_lab_stood_until_it_is_removed(lab, runtime, topology):
    folder = LabFolder.of("lab").make()
    work = Work(topology, "lab", "me", None, runtime, folder, Silent())
    write_phase(work, find_lab(runtime, "lab"), "deploying")
    assert read_stood(folder) is None
    write_phase(work, find_lab(runtime, "lab"), "ready")
    assert read_stood(folder)["lease"]["owner"] == "me"
    write_phase(work, find_lab(runtime, "lab"), "failed")
    assert read_stood(folder) is not None
    begin_removal(folder)
    begin_removal(folder)
    assert read_stood(folder) is None


@pytest.mark.parametrize("fabric_is_gone", [False, True])
def test_a_removal_is_known_as_long_as_it_lasts(lab, runtime, topology, fabric_is_gone):
    folder = LabFolder.of("lab").make()
    work = Work(topology, "lab", "me", None, runtime, folder, Silent())
    write_phase(work, find_lab(runtime, "lab"), "ready")
    begin_removal(folder)
    record = find_lab(runtime, "lab")
    if fabric_is_gone:
        record = replace(record, members=())
    phase = read_phase(runtime, record)
    assert (phase["phase"], creator_of(phase)) == ("removing", this_process())


def test_a_lab_that_is_brought_up_again_is_not_being_removed(lab, runtime, topology):
    folder = LabFolder.of("lab").make()
    begin_removal(folder)
    write_phase(Work(topology, "lab", "me", None, runtime, folder, Silent()), find_lab(runtime, "lab"), "creating")
    assert read_phase(runtime, find_lab(runtime, "lab"))["phase"] == "creating"


def test_documents_that_are_not_there_are_empty():
    assert parse_documents("null\nnull\n") == {"lease": {}}
    assert creator_of({"lease": {}}) is None


@pytest.mark.parametrize(("error", "phase"), [(DeployError("no"), "failed"), (LabBusyError("later"), "ready")])
def test_that_somebody_else_has_the_lab_is_no_failure_of_it(lab, runtime, topology, error, phase):
    work = Work(topology, "lab", "me", None, runtime, LabFolder.of("lab").make(), Silent())
    write_phase(work, find_lab(runtime, "lab"), "ready")
    with pytest.raises(type(error)), failure_noted(work):
        raise error
    assert read_phase(runtime, find_lab(runtime, "lab"))["phase"] == phase
