"""Which labs a sweep removes: expired ones, and those that nobody will finish."""

import os
from datetime import UTC, datetime

import pytest

from epolab.hands.files import LabFolder
from epolab.hands.process import this_process
from epolab.provider import fabric
from epolab.steps.labs import LabRecord
from epolab.steps.sweep import doomed_labs, expiry, is_abandoned, is_expired, sweep

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


def test_the_fabric_knows_the_lease_better_than_the_labels():
    assert expiry(record("a"), {"lease": {"expires": "b"}}) == "b"
    assert expiry(record("a"), {"lease": {"expires": None}}) is None
    assert expiry(record("a"), {"lease": {}}) == "a"
    assert expiry(record("a"), None) == "a"


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
    assert is_abandoned(phase, held=False) is abandoned


def test_a_lab_that_a_command_holds_is_not_abandoned():
    assert not is_abandoned(None, held=True)


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


def test_one_that_is_but_a_folder_goes_unless_it_is_held(runtime, world):
    folder = world.folder("begun")
    with folder.lock("lab"):
        assert doomed_labs(runtime, "me", every=False) == []
    assert doomed_labs(runtime, "me", every=False) == ["begun"]
