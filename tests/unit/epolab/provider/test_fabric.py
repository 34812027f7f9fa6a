"""The fabric's life: made, taken over, read, changed, removed."""

import os

import pytest

from epolab.errors import ContainerError, FabricError
from epolab.provider import fabric


def test_a_fabric_has_no_network_and_only_the_capabilities_that_wiring_needs(fabric_props):
    config = fabric.container_config(fabric_props)
    host = config["HostConfig"]
    assert config["NetworkDisabled"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert "Privileged" not in host
    assert [device["PathOnHost"] for device in host["Devices"]] == ["/dev/net/tun"]


def test_without_tun_no_device_is_asked_for(fabric_props):
    assert fabric.container_config(fabric_props | {"tun": False})["HostConfig"]["Devices"] == []


def test_the_cable_outweighs_the_nodes_where_the_engine_keeps_the_groups_itself(world, runtime, fabric_props):
    config = fabric.container_config(fabric_props)
    assert fabric.placed(config, {"CgroupDriver": "systemd"}) == config
    fabric.create(world, fabric_props)
    made = runtime.here["lab.fabric"]["Created"]
    assert made["HostConfig"] == config["HostConfig"] | {"CgroupParent": "/"}
    assert made["HostConfig"]["CpuShares"] > 1024
    assert made["Labels"] == config["Labels"]


def test_create_makes_segments_and_notes_phase_and_lease(world, runtime, fabric_props, monkeypatch):
    monkeypatch.setenv("EPOLAB_CREATOR_PID", str(os.getpid()))
    identity, outputs = fabric.create(world, fabric_props)
    assert identity == "lab.fabric"
    assert outputs["container_id"] == runtime.here["lab.fabric"]["Id"]
    assert outputs["ssh_public"].startswith("ssh-ed25519 ")
    assert runtime.asked("segment_ensure") == [{"path": "hq/lan"}]
    assert runtime.documents["phase"]["phase"] == "creating"
    assert runtime.documents["phase"]["creator"]["pid"] == os.getpid()
    assert runtime.documents["lease"]["owner"] == "me"


def test_a_fabric_that_a_killed_create_left_is_taken_over(world, runtime, fabric_props):
    _, first = fabric.create(world, fabric_props)
    _, second = fabric.create(world, fabric_props)
    assert second["container_id"] == first["container_id"]


def test_a_phase_that_was_noted_is_not_noted_again(world, runtime, fabric_props):
    fabric.create(world, fabric_props)
    runtime.documents["phase"] = {"phase": "ready"}
    fabric.create(world, fabric_props)
    assert runtime.documents["phase"] == {"phase": "ready"}


@pytest.mark.parametrize("change", [{"image": "epolab/fabric:2"}, {"tun": False}])
def test_one_of_other_make_is_made_anew(world, runtime, fabric_props, change):
    _, first = fabric.create(world, fabric_props)
    _, second = fabric.create(world, fabric_props | change)
    assert second["container_id"] != first["container_id"]


def test_a_stopped_one_is_made_anew(world, runtime, fabric_props):
    _, first = fabric.create(world, fabric_props)
    runtime.stop("lab.fabric")
    assert fabric.read(world, first) is None
    _, second = fabric.create(world, fabric_props)
    assert second["container_id"] != first["container_id"]


def test_a_failed_create_leaves_nothing(world, runtime, fabric_props):
    runtime.refused.add("segment_ensure")
    with pytest.raises(FabricError):
        fabric.create(world, fabric_props)
    assert runtime.here == {}


def test_a_strangers_container_is_not_touched(world, runtime, fabric_props):
    runtime.create("lab.fabric", {"Labels": {}})
    with pytest.raises(ContainerError, match="does not belong to lab lab"):
        fabric.create(world, fabric_props)
    assert "lab.fabric" in runtime.here


def test_read_sees_it_gone_and_restarted(world, runtime, fabric_props):
    _, state = fabric.create(world, fabric_props)
    assert fabric.read(world, state) == state
    runtime.stop("lab.fabric")
    runtime.start("lab.fabric")
    assert fabric.read(world, state) is None
    runtime.remove("lab.fabric")
    assert fabric.read(world, state) is None


def test_update_adds_and_removes_segments(world, runtime, fabric_props):
    _, state = fabric.create(world, fabric_props)
    runtime.calls.clear()
    fabric.update(world, state, fabric_props | {"segments": ["hq/dmz"]})
    assert runtime.asked("segment_ensure") == [{"path": "hq/dmz"}]
    assert runtime.asked("segment_remove") == [{"path": "hq/lan"}]


def test_delete_twice_is_fine(world, runtime, fabric_props):
    fabric.create(world, fabric_props)
    fabric.delete(world, fabric_props)
    fabric.delete(world, fabric_props)
    assert runtime.here == {}


def test_check_names_what_is_missing(fabric_props):
    assert fabric.check(fabric_props) == []
    assert fabric.check(fabric_props | {"image": None}) == [("image", "is required")]


def test_a_lab_that_a_person_makes_by_pulumi_counts_as_ready(world, runtime, fabric_props, monkeypatch):
    monkeypatch.delenv("EPOLAB_CREATOR_PID", raising=False)
    fabric.create(world, fabric_props)
    assert runtime.documents["phase"]["phase"] == "ready"
