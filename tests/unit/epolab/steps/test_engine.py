"""When the engine has something to do."""

import pytest

from epolab.hands.files import LabFolder
from epolab.provider import fabric, node
from epolab.provider.labels import digest_of
from epolab.steps.engine import declared, observed, record_nodes, remove_strays, run, settings_of
from epolab.steps.labs import find_lab
from epolab.steps.progress import Silent
from epolab.steps.work import Work, write_done


@pytest.fixture(name="work")
def work_fixture(topology, runtime, world, fabric_props, node_props):
    fabric.create(world, fabric_props)
    node.create(world, node_props)
    folder = LabFolder.of("lab").make()
    return Work(topology, "lab", "me", None, runtime, folder, Silent(), images={"fabric": "f:1", "node": "n:1"})


def seen(work):
    return observed(work, find_lab(work.docker, "lab"))


def test_declaration_and_world_as_they_were_is_nothing_to_do(work):
    lab = find_lab(work.docker, "lab")
    write_done(work, "engine", digest_of([declared(work, settings_of(work, lab)), seen(work)]))
    assert run(work) is False


def test_a_lab_keeps_its_day_of_creation(work):
    assert settings_of(work, find_lab(work.docker, "lab")).created == "2026-01-01T00:00:00Z"
    assert settings_of(work, None).created != "2026-01-01T00:00:00Z"


def test_another_image_is_another_declaration(work):
    before = declared(work, settings_of(work, None))
    work.images["node"] = "n:2"
    assert declared(work, settings_of(work, None)) != before


@pytest.mark.parametrize("happening", ["restart", "stop", "remove", "link"])
def test_whatever_happens_to_the_world_is_seen(work, runtime, happening):
    before = seen(work)
    if happening == "link":
        runtime.links["hq-tokyo"] = {}
    else:
        runtime.stop("lab.hq.pc-1")
        if happening == "restart":
            runtime.start("lab.hq.pc-1")
        if happening == "remove":
            runtime.remove("lab.hq.pc-1")
    assert seen(work) != before


def test_nobody_is_seen_where_there_is_no_lab(work):
    assert observed(work, None) == {}


def test_nodes_that_are_not_declared_go(work, runtime):
    runtime.create("lab.hq.odd", {"Labels": {"epolab.lab": "lab", "epolab.node": "hq/odd"}})
    lab = remove_strays(work, find_lab(runtime, "lab"))
    assert [member.path for member in lab.nodes] == ["hq/pc-1"]


def test_who_is_who_is_written_down(work):
    record_nodes(work, find_lab(work.docker, "lab"))
    identity = work.docker.inspect("lab.hq.pc-1")["Id"]
    assert work.folder.read_json("nodes.json") == {
        "hq/pc-1": {"container": "lab.hq.pc-1", "id": identity, "kind": "container"}
    }
    assert (work.folder.path / "ssh/config").exists()
