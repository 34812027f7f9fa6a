"""A lab's document, as the contract has it."""

import pytest

from epolab.steps.document import lab_document, lab_state, link_document, node_document, node_state, timings_document
from epolab.steps.labs import LabRecord, Member


def member(path, running=True):
    return Member(f"lab.{path.replace('/', '.')}", "id", path, "container", (), running)


def lab_of(topology, without=()):
    members = tuple(member(node.path) for node in topology.nodes if node.path not in without)
    return LabRecord("lab", "me", "c", None, "small", members)


def test_a_node(topology):
    document = node_document(topology.node("tokyo/far"), "lab", member("tokyo/far"))
    assert document == {
        "site": "tokyo",
        "name": "far",
        "kind": "container",
        "components": ["agent"],
        "state": "running",
        "container": "lab.tokyo.far",
        "addresses": [
            {"interface": "eth0", "cidr": "10.2.0.10/24", "family": 4},
            {"interface": "eth0", "cidr": "fd00:2::10/64", "family": 6},
        ],
    }


@pytest.mark.parametrize(
    ("seen", "state"), [(None, "missing"), (member("a/b"), "running"), (member("a/b", False), "stopped")]
)
def test_a_nodes_state(seen, state):
    assert node_state(seen) == state


def test_a_link_before_and_after_it_was_measured(topology):
    link = topology.links[0]
    before = link_document(link, "cable", None)
    assert (before["measured"], before["within"], before["degraded"]) == (None, None, [])
    assert before["declared"]["a_to_b"] == {"rate_bps": 10_000_000, "delay_ms": 40, "jitter_ms": 0, "loss_ratio": 0}
    assert link_document(link, "none", None)["degraded"] == ["rate", "delay"]
    measured = {"a_to_b": {}, "b_to_a": {}, "at": "now", "noise_ms": 1, "rtt_ms": {"median": 80, "p99": 81}}
    after = link_document(link, "cable", {"links": {"hq-tokyo": measured | {"within": True, "degraded": ["loss"]}}})
    assert (after["measured"], after["within"], after["degraded"]) == (measured, True, ["loss"])


@pytest.mark.parametrize(
    ("phase", "held", "state"),
    [
        (None, True, "creating"),
        (None, False, "failed"),
        ({"phase": "creating"}, False, "creating"),
        ({"phase": "deploying"}, True, "deploying"),
        ({"phase": "failed"}, False, "failed"),
        ({"phase": "ready"}, False, "ready"),
    ],
)
def test_a_labs_state(topology, phase, held, state):
    assert lab_state(lab_of(topology), topology, phase, held=held) == state


def test_a_ready_lab_that_lacks_a_node_is_degraded(topology):
    assert lab_state(lab_of(topology, without=("hq/sql",)), topology, {"phase": "ready"}, held=False) == "degraded"


def test_a_part_that_did_not_run_took_null_not_nothing():
    assert timings_document({"build": 1.5}, 2.0) == {
        "images_s": 1.5,
        "engine_s": None,
        "deploy_s": None,
        "ready_s": None,
        "total_s": 2.0,
    }


def test_the_whole_document_has_the_contracts_keys(topology):
    document = lab_document(lab_of(topology), topology, "ready", None, {"hq-tokyo": "cable"}, None, {})
    assert list(document) == ["lab", "topology", "state", "owner", "expires", "nodes", "links", "timings"]
