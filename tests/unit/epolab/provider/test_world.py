"""What the provider works on."""

import pytest

from epolab.errors import ContainerError, FabricError
from epolab.provider.world import create_and_start, own_container


def test_a_lab_without_a_running_fabric_has_no_worker(world, runtime):
    with pytest.raises(FabricError, match="does not run"):
        world.fabric("lab")
    runtime.create("lab.fabric", {"Labels": {}})
    with pytest.raises(FabricError):
        world.fabric("lab")


def test_the_worker_is_kept_until_the_fabric_is_another(world, runtime):
    runtime.create("lab.fabric", {"Labels": {}})
    runtime.start("lab.fabric")
    first = world.fabric("lab")
    assert world.fabric("lab") is first
    runtime.stop("lab.fabric")
    runtime.start("lab.fabric")
    assert world.fabric("lab") is not first


def test_the_folder_is_for_its_owner_alone(world):
    assert world.folder("lab").path.stat().st_mode & 0o777 == 0o700


def test_only_the_labs_own_container_counts(runtime):
    runtime.create("a", {"Labels": {"epolab.lab": "one"}})
    assert own_container(runtime, "b", "one") is None
    assert own_container(runtime, "a", "one")["Id"] == "id-1"
    with pytest.raises(ContainerError):
        own_container(runtime, "a", "two")


def test_a_failed_start_leaves_nothing(runtime):
    runtime.unstartable.add("a")
    with pytest.raises(ContainerError):
        create_and_start(runtime, "a", {"Labels": {}}, {"etc/x": (b"", 0o644)})
    assert runtime.here == {}
