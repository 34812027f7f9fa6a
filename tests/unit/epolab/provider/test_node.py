"""A node's life: made whole or not at all, taken over, seen to be gone or restarted, wired again, removed."""

import pytest

from epolab.errors import ContainerError, FabricError
from epolab.provider import fabric, node


@pytest.fixture(name="ready_world")
def ready_world_fixture(world, fabric_props):
    fabric.create(world, fabric_props)
    return world


def test_create_writes_files_before_the_start_and_wires(ready_world, runtime, node_props):
    identity, outputs = node.create(ready_world, node_props)
    assert identity == "lab.hq.pc-1"
    written = runtime.files["lab.hq.pc-1"]
    assert b"10.1.0.10 pc-1.hq.test pc-1" in written["etc/hosts"][0]
    assert b"nameserver 10.1.0.1" in written["etc/resolv.conf"][0]
    assert b"search hq.test" in written["etc/resolv.conf"][0]
    assert written["etc/ssh/ssh_host_ed25519_key"][1] == 0o600
    assert [call["pid"] for call in runtime.asked("node_wire")] == [outputs["pid"]]
    assert outputs["wired_pid"] == outputs["pid"]


def test_no_secret_is_among_the_outputs(ready_world, runtime, node_props):
    _, outputs = node.create(ready_world, node_props)
    private = runtime.files["lab.hq.pc-1"]["etc/ssh/ssh_host_ed25519_key"][0].decode()
    assert private.splitlines()[1] not in str(outputs)


@pytest.mark.parametrize("op", ["node_wire"])
def test_a_failed_wiring_leaves_nothing(ready_world, runtime, node_props, op):
    runtime.refused.add(op)
    with pytest.raises(FabricError):
        node.create(ready_world, node_props)
    assert list(runtime.here) == ["lab.fabric"]
    assert runtime.asked("node_unwire") == [{"path": "hq/pc-1"}]


def test_a_failed_start_leaves_nothing(ready_world, runtime, node_props):
    runtime.unstartable.add("lab.hq.pc-1")
    with pytest.raises(ContainerError):
        node.create(ready_world, node_props)
    assert list(runtime.here) == ["lab.fabric"]


def test_one_that_a_killed_create_left_running_is_taken_over(ready_world, runtime, node_props):
    _, first = node.create(ready_world, node_props)
    _, second = node.create(ready_world, node_props)
    assert second["container_id"] == first["container_id"]


def test_one_that_was_left_before_its_start_is_made_anew(ready_world, runtime, node_props):
    _, first = node.create(ready_world, node_props)
    runtime.stop("lab.hq.pc-1")
    _, second = node.create(ready_world, node_props)
    assert second["container_id"] != first["container_id"]


def test_one_of_other_make_is_made_anew(ready_world, runtime, node_props):
    _, first = node.create(ready_world, node_props)
    _, second = node.create(ready_world, node_props | {"image": "epolab/node:2"})
    assert second["container_id"] != first["container_id"]


def test_a_strangers_container_is_not_touched(ready_world, runtime, node_props):
    runtime.create("lab.hq.pc-1", {"Labels": {"epolab.lab": "other"}})
    with pytest.raises(ContainerError):
        node.create(ready_world, node_props)
    assert "lab.hq.pc-1" in runtime.here


def test_read_sees_it_gone(ready_world, runtime, node_props):
    _, state = node.create(ready_world, node_props)
    runtime.remove("lab.hq.pc-1")
    assert node.read(ready_world, state) is None


def test_read_takes_another_container_of_that_name_for_gone(ready_world, runtime, node_props):
    _, state = node.create(ready_world, node_props)
    runtime.remove("lab.hq.pc-1")
    node.create(ready_world, node_props)
    assert node.read(ready_world, state) is None


def test_a_restart_is_drift_and_update_wires_again_in_the_same_container(ready_world, runtime, node_props):
    _, state = node.create(ready_world, node_props)
    assert not node.is_drifted(node.read(ready_world, state))
    runtime.stop("lab.hq.pc-1")
    assert node.is_drifted(node.read(ready_world, state))
    runtime.start("lab.hq.pc-1")
    seen = node.read(ready_world, state)
    assert node.is_drifted(seen)
    after = node.update(ready_world, seen, node_props)
    assert not node.is_drifted(after)
    assert after["container_id"] == state["container_id"]
    assert runtime.asked("node_wire")[-1]["pid"] == after["pid"] != state["pid"]


def test_delete_works_from_the_inputs_alone_and_twice(ready_world, runtime, node_props):
    node.create(ready_world, node_props)
    node.delete(ready_world, node_props)
    node.delete(ready_world, node_props)
    assert list(runtime.here) == ["lab.fabric"]


def test_delete_works_when_the_fabric_is_gone(ready_world, runtime, node_props):
    node.create(ready_world, node_props)
    runtime.remove("lab.fabric")
    node.delete(ready_world, node_props)
    assert runtime.here == {}


def test_check_names_what_is_missing(node_props):
    assert node.check(node_props) == []
    assert node.check(node_props | {"path": ""}) == [("path", "is required")]
