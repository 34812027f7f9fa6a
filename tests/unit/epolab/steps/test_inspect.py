"""A lab looked at: in a line, in full, against its declaration."""

from pathlib import Path

import pytest

from epolab.components.node import node_props
from epolab.components.settings import LabSettings
from epolab.components.wan import link_props
from epolab.errors import LabNotFoundError, TopologyInvalidError
from epolab.hands.journal import Journal, Undo
from epolab.provider import fabric, link, node
from epolab.steps.declaration import require_topology
from epolab.steps.inspect import inspect_lab, list_labs, status
from epolab.steps.wan import list_links
from epolab.verify.turns import turn


@pytest.fixture(name="lab")
def lab_fixture(world, runtime, topology, fabric_props):
    images = {"fabric": "epolab/fabric:1", "node": "epolab/node:1"}
    settings = LabSettings("lab", "me", "2026-01-01T00:00:00Z", None, images, True, {"hq-tokyo": "cable"})
    fabric.create(world, fabric_props | {"expires": ""})
    for declared in topology.nodes:
        node.create(world, node_props(topology, declared, settings))
    for declared in topology.links:
        link.create(world, link_props(topology, declared, settings) | {"a_pid": 1, "b_pid": 2})
    folder = world.folder("lab")
    (folder.path / "topology.yaml").write_text(Path(topology.file).read_text())
    runtime.documents["phase"] = {"phase": "ready"}


def test_a_line_for_each_lab(lab, runtime, topology):
    assert list_labs(runtime, "me") == [
        {
            "lab": "lab",
            "state": "ready",
            "owner": "me",
            "created": "2026-01-01T00:00:00Z",
            "expires": None,
            "nodes": len(topology.nodes),
        }
    ]
    assert list_labs(runtime, "you") == []


def test_a_damaged_lab_has_failed_and_hides_no_other(lab, runtime, world):
    (world.folder("broken").make().path / "topology.yaml").write_text("epolab: [1\n")
    (world.folder("binary").make().path / "topology.yaml").write_bytes(b"\xff\xfe\x00")
    states = {line["lab"]: line["state"] for line in list_labs(runtime, "me")}
    assert states == {"lab": "ready", "broken": "failed", "binary": "failed"}


OUTDATED = """      pc: {components: [agent], count: 1}
      old: {components: [relay], version: 4.6.0}
"""


def test_a_lab_whose_file_is_not_valid_any_more_is_looked_at_as_before(lab, runtime, world):
    kept = world.folder("lab").path / "topology.yaml"
    text = kept.read_text().replace("      pc: {components: [agent], count: 1}\n", OUTDATED)
    kept.write_text(text)
    (line,) = list_labs(runtime, "me")
    assert line["state"] == "degraded"
    assert status(runtime, "lab")["drift"] == [
        {"what": "node hq/old", "expected": "running", "observed": "missing"},
    ]
    assert inspect_lab(runtime, "lab")["lab"] == "lab"
    assert list_links(runtime, "lab")[0]["name"] == "hq-tokyo"
    with pytest.raises(TopologyInvalidError, match="relay-version"):
        require_topology("lab")


def test_a_lab_whose_file_cannot_be_resolved_any_more_is_listed_by_its_containers(lab, runtime, world):
    kept = world.folder("lab").path / "topology.yaml"
    kept.write_text(kept.read_text().replace("[sql]", "[future]"))
    assert [line["state"] for line in list_labs(runtime, "me")] == ["ready"]
    with pytest.raises(TopologyInvalidError, match="not valid by the checks of this version: "):
        status(runtime, "lab")


def test_a_lab_as_declared_has_no_drift(lab, runtime):
    assert status(runtime, "lab") == {"lab": "lab", "state": "ready", "drift": []}


def test_a_node_that_is_gone_or_stopped_is_drift(lab, runtime):
    runtime.remove("lab.hq.sql")
    runtime.stop("lab.tokyo.far")
    document = status(runtime, "lab")
    assert document["state"] == "degraded"
    assert document["drift"] == [
        {"what": "node hq/sql", "expected": "running", "observed": "missing"},
        {"what": "node tokyo/far", "expected": "running", "observed": "stopped"},
    ]


def test_a_container_that_nobody_declared_is_drift(lab, runtime):
    runtime.create("lab.hq.odd", {"Labels": {"epolab.lab": "lab", "epolab.node": "hq/odd"}})
    assert status(runtime, "lab")["drift"] == [
        {"what": "container lab.hq.odd", "expected": "absent", "observed": "present"}
    ]


def test_a_link_that_is_gone_is_drift(lab, runtime):
    runtime.links.clear()
    assert status(runtime, "lab")["drift"] == [{"what": "link hq-tokyo", "expected": "applied", "observed": "missing"}]


def test_a_fabric_that_is_gone_is_drift(lab, runtime):
    runtime.remove("lab.fabric")
    assert {"what": "fabric", "expected": "running", "observed": "missing"} in status(runtime, "lab")["drift"]


def test_in_full(lab, runtime, topology):
    document = inspect_lab(runtime, "lab")
    assert (document["lab"], document["topology"], document["state"]) == ("lab", "small", "ready")
    assert [f"{entry['site']}/{entry['name']}" for entry in document["nodes"]] == [n.path for n in topology.nodes]
    assert document["links"][0]["driver"] == "cable"
    assert document["timings"]["total_s"] is None


def test_a_lab_that_is_not_there(runtime, world):
    with pytest.raises(LabNotFoundError):
        status(runtime, "lab")


def test_the_driver_is_the_one_a_link_was_laid_with(lab, runtime):
    runtime.links["hq-tokyo"]["driver"] = "none"
    assert inspect_lab(runtime, "lab")["links"][0]["driver"] == "none"
    assert list_links(runtime, "lab")[0]["driver"] == "none"


def test_what_a_killed_verification_left_is_drift_until_somebody_verifies(lab, runtime, world):
    for container in runtime.here.values():
        container["Created"] = container["State"]["StartedAt"] = "2026-01-01T00:00:00Z"
    folder = world.folder("lab").path
    journal = Journal(folder / "journal", lambda undo: None)
    for path in ("hq/epo", "tokyo/far"):
        journal._note(Undo(path, "true", "services paused"))
    document = status(runtime, "lab")
    assert document["state"] == "degraded"
    assert {drift["what"] for drift in document["drift"]} == {"node hq/epo", "node tokyo/far"}
    observed = "services paused, until the next up, deploy, verify or wan measure"
    assert all(drift["observed"] == observed for drift in document["drift"])
    runtime.here["lab.tokyo.far"]["State"]["StartedAt"] = "2999-01-01T00:00:00Z"
    assert [drift["what"] for drift in status(runtime, "lab")["drift"]] == ["node hq/epo"]
    with turn(folder, alone=True):
        assert status(runtime, "lab")["drift"] == []
