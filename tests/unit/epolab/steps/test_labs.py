"""Labs found by their labels and folders."""

import pytest

from epolab.hands.files import LabFolder
from epolab.provider import fabric, node
from epolab.steps.labs import find_lab, find_labs, own_labs


@pytest.fixture(name="lab")
def lab_fixture(world, fabric_props, node_props):
    fabric.create(world, fabric_props)
    node.create(world, node_props)


def test_no_labs(runtime):
    assert find_labs(runtime) == {}
    assert find_lab(runtime, "lab") is None


def test_a_lab_is_known_by_its_labels_alone(lab, runtime):
    record = find_lab(runtime, "lab")
    assert (record.name, record.owner, record.topology) == ("lab", "me", "small")
    assert record.created == "2026-01-01T00:00:00Z"
    assert record.expires is None
    assert record.fabric.name == "lab.fabric"
    (member,) = record.nodes
    assert (member.path, member.kind, member.components, member.running) == ("hq/pc-1", "container", ("agent",), True)
    assert record.node("hq/pc-1") is member
    assert record.node("hq/nobody") is None


def test_an_expiry_is_read_from_the_labels(world, runtime, fabric_props):
    fabric.create(world, fabric_props | {"expires": "2026-01-02T00:00:00Z"})
    assert find_lab(runtime, "lab").expires == "2026-01-02T00:00:00Z"


def test_only_own_labs_and_those_that_are_but_a_folder(lab, runtime):
    LabFolder.of("begun").make()
    assert list(own_labs(runtime, "me")) == ["lab", "begun"]
    assert list(own_labs(runtime, "you")) == ["begun"]
