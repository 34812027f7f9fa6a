"""A lab is removed whole, in any phase."""

import os

import pytest

from epolab.errors import ContainerError, LabBusyError, LabForeignError
from epolab.hands.files import LabFolder
from epolab.provider import fabric, node
from epolab.steps.down import Removal, left_of, take_down


@pytest.fixture(name="lab")
def lab_fixture(world, fabric_props, node_props):
    fabric.create(world, fabric_props)
    node.create(world, node_props)


def down(runtime, owner="me"):
    return take_down(runtime, "lab", owner, lambda text: None)


def test_no_lab_is_fine(runtime):
    assert down(runtime) == Removal([], [])


def test_everything_goes(lab, runtime):
    runtime.volumes_here["data"] = "lab"
    runtime.volumes_here["other"] = "another"
    assert down(runtime).document() == {"removed": ["data", "lab.fabric", "lab.hq.pc-1"], "left": []}
    assert runtime.here == {}
    assert runtime.volumes_here == {"other": "another"}
    assert not LabFolder.of("lab").path.exists()


def test_the_fabric_may_be_gone_already(lab, runtime):
    runtime.remove("lab.fabric")
    assert down(runtime).removed == ["lab.hq.pc-1"]


def test_the_folder_may_be_all_there_is(runtime, world):
    world.folder("lab").write_json("steps.json", {})
    assert down(runtime).removed == []
    assert not LabFolder.of("lab").path.exists()


def test_what_a_killed_removal_left_of_the_folder_goes_with_the_next(runtime, world):
    labs = world.folder("other").make().path.parent
    (labs / ".lab.removing.99999999").mkdir()
    (labs / ".other.removing.99999999").mkdir()
    (labs / f".lab.removing.{os.getpid()}").mkdir()
    assert down(runtime) == Removal([], [])
    kept = {".other.removing.99999999", f".lab.removing.{os.getpid()}", "other"}
    assert {path.name for path in labs.iterdir()} == kept


def test_another_owners_lab_is_not_touched(lab, runtime):
    removal = Removal()
    with pytest.raises(LabForeignError):
        take_down(runtime, "lab", "you", lambda text: None, removal)
    assert len(runtime.here) == 2
    assert removal.document() == {"removed": [], "left": ["lab"]}


def test_a_lab_that_another_command_holds_is_left(lab, runtime, monkeypatch):
    monkeypatch.setattr("epolab.steps.down.LOCK_SECONDS", 0.0)
    removal = Removal()
    with LabFolder.of("lab").make().lock("lab"), pytest.raises(LabBusyError):
        take_down(runtime, "lab", "me", lambda text: None, removal)
    assert removal.document() == {"removed": [], "left": ["lab"]}


def test_a_lab_whose_topology_cannot_be_read_goes_too(lab, runtime):
    (LabFolder.of("lab").make().path / "topology.yaml").write_text("epolab: [1\n")
    assert down(runtime).removed == ["lab.fabric", "lab.hq.pc-1"]


@pytest.mark.parametrize(("asks", "left"), [(2, ["lab"]), (9, ["lab.fabric", "lab.hq.pc-1"])])
def test_the_first_error_is_told_whatever_is_left(lab, runtime, asks, left):
    class Dying:
        """An engine that removes nothing, and after so many questions does not even list."""

        def __init__(self):
            self.asked = 0

        def __getattr__(self, name):
            return getattr(runtime, name)

        def containers(self, *labels):
            self.asked += 1
            if self.asked > asks:
                raise ContainerError("list containers: the engine is gone")
            return runtime.containers(*labels)

        def remove(self, name):
            raise ContainerError(f"remove {name}: refused")

    removal = Removal()
    with pytest.raises(ContainerError, match="refused"):
        take_down(Dying(), "lab", "me", lambda text: None, removal)
    assert removal.document() == {"removed": [], "left": left}


def test_what_is_left_is_named(lab, runtime):
    assert sorted(left_of(runtime, "lab")) == ["lab.fabric", "lab.hq.pc-1"]


def test_what_comes_late_is_removed_too(lab, runtime):
    class Late:
        """A create that was under way arrives after the first round."""

        def __init__(self):
            self.rounds = 0

        def __getattr__(self, name):
            return getattr(runtime, name)

        def networks(self, *labels):
            self.rounds += 1
            if self.rounds == 1:
                runtime.create("lab.hq.late", {"Labels": {"epolab.lab": "lab", "epolab.owner": "me"}})
            return []

    assert "lab.hq.late" in take_down(Late(), "lab", "me", lambda text: None).removed
    assert runtime.here == {}
