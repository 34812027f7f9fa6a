"""Which labs a sweep removes: expired ones, and those that nobody will finish."""

import os
from datetime import UTC, datetime

import pytest

from epolab.errors import ContainerError, RemovalIncompleteError
from epolab.hands.files import LabFolder
from epolab.hands.process import this_process
from epolab.provider import fabric, node
from epolab.steps.down import Removal, take_down
from epolab.steps.labs import LabRecord, find_lab
from epolab.steps.phase import write_phase
from epolab.steps.progress import Silent
from epolab.steps.sweep import doomed_labs, expiry, is_abandoned, is_expired, sweep
from epolab.steps.work import Work

ME = this_process().document()
GONE = ME | {"started": "1"}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def record(expires):
    return LabRecord("lab", "me", None, expires, None, ())


@pytest.mark.parametrize(
    ("expires", "over"),
    [(None, False), ("2026-01-01T11:59:59Z", True), ("2026-01-01T12:00:00Z", True), ("2026-01-01T12:00:01Z", False)],
)
def test_a_lease_is_over_at_its_moment(expires, over):
    assert is_expired(expires, NOON) is over


def test_the_fabric_knows_the_lease_better_than_the_folder_and_that_better_than_the_labels():
    assert expiry(record("a"), {"lease": {"expires": "b"}}, {"lease": {"expires": "c"}}) == "b"
    assert expiry(record("a"), {"lease": {"expires": None}}, {"lease": {"expires": "c"}}) is None
    assert expiry(record("a"), {"lease": {}}, {"lease": {"expires": "c"}}) == "c"
    assert expiry(record("a"), None, {"lease": {"expires": None}}) is None
    assert expiry(record("a"), None, {"lease": None}) == "a"
    assert expiry(record("a"), None, None) == "a"


@pytest.mark.parametrize(
    ("phase", "abandoned"),
    [
        (None, True),
        ({}, True),
        ({"phase": "creating", "creator": GONE}, True),
        ({"phase": "deploying", "creator": GONE}, True),
        ({"phase": "creating", "creator": ME}, False),
        ({"phase": "creating", "creator": ME | {"host": "elsewhere"}}, False),
        ({"phase": "ready", "creator": GONE}, False),
        ({"phase": "failed", "creator": GONE}, False),
    ],
)
def test_who_will_finish_it(phase, abandoned):
    assert is_abandoned(phase, held=False, stood=False) is abandoned


@pytest.mark.parametrize(
    ("phase", "abandoned"),
    [
        (None, False),
        ({"lease": {}}, False),
        ({"phase": "creating", "creator": GONE}, False),
        ({"phase": "deploying", "creator": GONE}, False),
        ({"phase": "removing", "creator": GONE}, True),
        ({"phase": "removing", "creator": ME}, False),
    ],
)
def test_a_lab_that_stood_lasts_until_somebody_begins_to_remove_it(phase, abandoned):
    assert is_abandoned(phase, held=False, stood=True) is abandoned


def test_a_lab_that_a_command_holds_is_not_abandoned():
    assert not is_abandoned(None, held=True, stood=False)


@pytest.fixture(name="lab")
def lab_fixture(world, runtime, fabric_props, monkeypatch):
    monkeypatch.setenv("EPOLAB_CREATOR_PID", str(os.getpid()))
    fabric.create(world, fabric_props)
    runtime.documents["phase"] = {"phase": "ready", "creator": GONE}


def test_a_healthy_lab_is_never_swept(lab, runtime):
    assert doomed_labs(runtime, "me", every=False) == []
    assert doomed_labs(runtime, "me", every=True) == ["lab"]


def test_another_owners_labs_are_never_swept(lab, runtime):
    runtime.documents["phase"] = {"phase": "creating", "creator": GONE}
    assert doomed_labs(runtime, "you", every=True) == []


def test_an_interrupted_one_goes_with_its_folder(lab, runtime):
    runtime.documents["phase"] = {"phase": "creating", "creator": GONE}
    assert sweep(runtime, "me", every=False, say=lambda text: None).document() == {
        "removed": ["lab.fabric"],
        "left": [],
    }
    assert not LabFolder.of("lab").path.exists()


@pytest.fixture(name="stood")
def stood_fixture(topology, runtime, lab):
    """A lab that came to be ready."""
    work = Work(topology, "lab", "me", None, runtime, LabFolder.of("lab").make(), Silent())
    write_phase(work, find_lab(runtime, "lab"), "ready")
    return work


@pytest.mark.parametrize("loss", ["stopped", "empty", "gone"])
def test_a_lab_that_stood_survives_the_loss_of_its_fabric(stood, runtime, node_props, world, loss):
    node.create(world, node_props)
    runtime.documents.clear()
    if loss == "stopped":
        runtime.stop("lab.fabric")
    if loss == "gone":
        runtime.remove("lab.fabric")
    assert doomed_labs(runtime, "me", every=False) == []


def test_its_lease_ends_nevertheless(stood, runtime):
    runtime.documents["lease"] = {"owner": "me", "expires": "2026-01-01T12:00:00Z"}
    write_phase(stood, find_lab(runtime, "lab"), "ready")
    runtime.stop("lab.fabric")
    assert doomed_labs(runtime, "me", every=False) == ["lab"]


@pytest.mark.parametrize("phase", ["creating", "deploying"])
def test_a_change_that_was_interrupted_takes_no_lab_away_that_stood(stood, runtime, phase):
    runtime.documents["phase"] = {"phase": phase, "creator": GONE}
    assert doomed_labs(runtime, "me", every=False) == []
    runtime.documents["lease"] = {"owner": "me", "expires": "2026-01-01T12:00:00Z"}
    assert doomed_labs(runtime, "me", every=False) == ["lab"]


@pytest.mark.parametrize("fabric_goes", [False, True])
def test_one_whose_removal_was_interrupted_goes(stood, runtime, monkeypatch, fabric_goes):
    def killed(_name):
        raise KeyboardInterrupt

    runtime.remove, remove = killed, runtime.remove
    with pytest.raises(KeyboardInterrupt):
        take_down(runtime, "lab", "me", lambda text: None)
    runtime.remove = remove
    if fabric_goes:
        runtime.stop("lab.fabric")
    assert doomed_labs(runtime, "me", every=False) == []  # we live, so somebody is at it
    monkeypatch.setattr("epolab.steps.sweep.is_alive", lambda creator: False)
    assert doomed_labs(runtime, "me", every=False) == ["lab"]


def test_one_that_is_but_a_folder_goes_unless_it_is_held(runtime, world):
    folder = world.folder("begun")
    with folder.lock("lab"):
        assert doomed_labs(runtime, "me", every=False) == []
    assert doomed_labs(runtime, "me", every=False) == ["begun"]


def test_a_lab_that_cannot_be_removed_stops_no_other(runtime, world, fabric_props, lab):
    fabric.create(world, fabric_props | {"lab": "stuck"})
    fabric.create(world, fabric_props | {"lab": "zoo"})
    remove, total = runtime.remove, Removal()

    def refusing(name):
        if name == "stuck.fabric":
            raise ContainerError("remove stuck.fabric: device busy")
        return remove(name)

    runtime.remove = refusing
    with pytest.raises(RemovalIncompleteError, match="1 lab could not be removed") as refused:
        sweep(runtime, "me", every=True, say=lambda text: None, total=total)
    assert refused.value.evidence == ["stuck: remove stuck.fabric: device busy"]
    assert total.document() == {"removed": ["lab.fabric", "zoo.fabric"], "left": ["stuck.fabric"]}


def test_a_lab_that_another_command_holds_is_named_as_left(runtime, lab, monkeypatch):
    monkeypatch.setattr("epolab.steps.down.LOCK_SECONDS", 0.0)
    total = Removal()
    with LabFolder.of("lab").make().lock("lab"), pytest.raises(RemovalIncompleteError):
        sweep(runtime, "me", every=True, say=lambda text: None, total=total)
    assert total.document() == {"removed": [], "left": ["lab"]}


def test_what_killed_removals_left_of_folders_goes(runtime, world):
    labs = LabFolder.of("lab").path.parent
    (labs / ".lab.removing.99999999").mkdir(parents=True)
    assert sweep(runtime, "me", every=False, say=lambda text: None) == Removal([], [])
    assert not labs.exists()
