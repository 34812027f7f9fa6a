"""A link's life in the fabric."""

import pytest

from epolab.errors import FabricError
from epolab.provider import fabric, link


@pytest.fixture(name="ready_world")
def ready_world_fixture(world, fabric_props):
    fabric.create(world, fabric_props)
    return world


@pytest.fixture(name="props")
def props_fixture():
    shape = {"rate_bps": 10_000_000, "delay_ms": 40, "jitter_ms": 0, "loss_ratio": 0, "queue_ms": 200}
    end = {"path": "hq/router", "interface": "wan-tokyo", "mac": "02:00:00:00:00:02", "cidrs": [], "routes": []}
    return {
        "lab": "lab",
        "name": "hq-tokyo",
        "driver": "cable",
        "a_to_b": shape,
        "b_to_a": shape,
        "a": end,
        "b": end | {"path": "tokyo/router"},
        "a_pid": 11,
        "b_pid": 12,
        "fabric_id": "id-1",
    }


def test_create_applies_both_ends_by_process(ready_world, runtime, props):
    identity, outputs = link.create(ready_world, props)
    (applied,) = runtime.asked("link_apply")
    assert identity == "lab/hq-tokyo"
    assert (applied["a"]["pid"], applied["b"]["pid"], applied["driver"]) == (11, 12, "cable")
    assert outputs == props


def test_a_failed_create_leaves_nothing(ready_world, runtime, props):
    runtime.refused.add("link_apply")
    with pytest.raises(FabricError):
        link.create(ready_world, props)
    assert runtime.asked("link_remove") == [{"name": "hq-tokyo"}]


def test_read_sees_a_link_that_is_gone_or_loose(ready_world, runtime, props):
    _, state = link.create(ready_world, props)
    assert link.read(ready_world, state) == state
    runtime.links["hq-tokyo"]["b"]["attached"] = False
    assert link.read(ready_world, state) is None
    runtime.links.clear()
    assert link.read(ready_world, state) is None


def test_read_without_a_fabric_is_gone(world, props):
    assert link.read(world, props) is None


def test_a_change_of_shape_is_applied_live(ready_world, runtime, props):
    link.create(ready_world, props)
    link.update(ready_world, props, props | {"a_to_b": props["a_to_b"] | {"delay_ms": 80}})
    assert runtime.asked("link_apply")[-1]["a_to_b"]["delay_ms"] == 80
    assert runtime.asked("link_remove") == []


def test_a_change_of_driver_takes_the_old_cable_away_first(ready_world, runtime, props):
    link.create(ready_world, props)
    link.update(ready_world, props, props | {"driver": "none"})
    assert [name for name, _ in runtime.calls[-2:]] == ["link_remove", "link_apply"]


def test_delete_is_fine_without_link_and_without_fabric(ready_world, runtime, props):
    link.delete(ready_world, props)
    runtime.remove("lab.fabric")
    link.delete(ready_world, props)
    assert runtime.links == {}


def test_check_names_what_is_missing(props):
    assert link.check(props) == []
    assert link.check(props | {"driver": ""}) == [("driver", "is required")]
