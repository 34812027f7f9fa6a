"""The adapter to the engine's protocol: values both ways, and what it answers."""

import asyncio

import pytest
from pulumi.provider.experimental import provider as wire
from pulumi.provider.experimental.property_value import Computed, PropertyValue

from epolab.provider import fabric, node, plugin

URN = "urn:pulumi:lab::epolab::epolab:index:Lab$epolab:index:Site$epolab:index:Node::hq/pc-1"
FABRIC = "urn:pulumi:lab::epolab::epolab:index:Lab$epolab:index:Fabric::fabric"

VALUES = [None, True, 3, 2.5, "text", [1, "two", [3]], {"a": {"b": [None, False]}}]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_survive_both_ways(value):
    assert plugin.to_plain(plugin.from_plain(value)) == value


def test_whole_numbers_come_back_as_integers():
    assert isinstance(plugin.to_plain(PropertyValue(3.0)), int)


def test_what_is_not_known_yet_stays_so():
    assert plugin.to_plain(PropertyValue(Computed())) is plugin.UNKNOWN
    assert isinstance(plugin.from_plain(plugin.UNKNOWN).value, Computed)


def test_nulls_and_the_engines_own_keys_are_left_out():
    assert plugin.plain_map({"a": PropertyValue(None), "__x": PropertyValue("y"), "b": PropertyValue("c")}) == {
        "b": "c"
    }


def test_a_urn_names_its_resource_behind_its_parents():
    assert plugin.resource_of(URN) is node
    assert plugin.resource_of(FABRIC) is fabric


def diff(state, news):
    return plugin.difference(node, state, news)


@pytest.fixture(name="state")
def state_fixture(node_props):
    return node_props | {"running": True, "pid": 5, "wired_pid": 5}


def test_no_difference(state, node_props):
    assert not diff(state, node_props).changes


def test_another_image_replaces_and_deletes_first(state, node_props):
    answer = diff(state, node_props | {"image": "other"})
    assert (answer.changes, answer.replaces, answer.delete_before_replace) == (True, ["image"], True)


def test_other_routes_update(state, node_props):
    answer = diff(state, node_props | {"routes": []})
    assert (answer.changes, answer.replaces, answer.diffs) == (True, [], ["routes"])


def test_a_restart_updates_without_any_change_of_inputs(state, node_props):
    assert diff(state | {"pid": 6}, node_props).changes


def test_a_thing_keeps_its_owner_and_lease():
    kept = plugin.kept_inputs(node, {"owner": "old", "path": "x"}, {"owner": "new", "path": "y"})
    assert kept == {"owner": "old", "path": "y"}


@pytest.fixture(name="provider")
def provider_fixture(world):
    return plugin.EpolabProvider(world)


def test_check_refuses_what_cannot_be_made(provider, node_props):
    request = wire.CheckRequest(URN, {}, plugin.property_map(node_props | {"image": ""}), b"")
    answer = asyncio.run(provider.check(request))
    assert [(failure.property, failure.reason) for failure in answer.failures] == [("image", "is required")]


def test_a_preview_makes_nothing(provider, runtime, node_props):
    request = wire.CreateRequest(URN, plugin.property_map(node_props), 0, preview=True)
    answer = asyncio.run(provider.create(request))
    assert answer.resource_id is None
    assert runtime.here == {}


def test_a_life_over_the_wire(provider, runtime, fabric_props):
    props = plugin.property_map(fabric_props)
    made = asyncio.run(provider.create(wire.CreateRequest(FABRIC, props, 0, preview=False)))
    assert made.resource_id == "lab.fabric"
    read = asyncio.run(provider.read(wire.ReadRequest(FABRIC, "lab.fabric", made.properties, props)))
    assert read.resource_id == "lab.fabric"
    asyncio.run(provider.delete(wire.DeleteRequest(FABRIC, "lab.fabric", read.properties, 0)))
    assert runtime.here == {}
    gone = asyncio.run(provider.read(wire.ReadRequest(FABRIC, "lab.fabric", made.properties, props)))
    assert gone.resource_id == ""


def test_the_schema_names_every_resource(provider):
    schema = asyncio.run(provider.get_schema(wire.GetSchemaRequest(0))).schema
    assert all(token in schema for token in plugin.RESOURCES)
