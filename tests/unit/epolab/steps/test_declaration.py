"""The topology that is kept with a lab, and what is read from it."""

from dataclasses import replace

import pytest

from epolab.errors import LabNotFoundError, TopologyInvalidError
from epolab.hands.files import LabFolder
from epolab.steps.declaration import keep_topology, read_topology, require_topology
from epolab.topology import load_topology

NAMELESS = "epolab: 1\nsites: {hq: {nodes: {epo: {components: [server]}, sql: {components: [sql]}}}}\n"


@pytest.fixture(name="file")
def file_fixture(tmp_path, monkeypatch):
    monkeypatch.setenv("EPOLAB_HOME", str(tmp_path / "home"))
    file = tmp_path / "Two Nodes.yaml"
    file.write_text(NAMELESS)
    return file


def test_a_file_without_a_name_keeps_the_one_it_gives(file):
    keep_topology(LabFolder.of("lab").make(), file)
    assert load_topology(file).name == "two-nodes"
    assert read_topology("lab") == load_topology(file)


def test_where_the_file_lay_does_not_depend_on_where_one_stands(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    keep_topology(LabFolder.of("lab").make(), file.relative_to(file.parent))
    assert require_topology("lab").file == str(file)


def test_what_is_kept_lasts_when_the_file_changes_or_goes(file):
    keep_topology(LabFolder.of("lab").make(), file)
    was = load_topology(file)
    file.unlink()
    assert require_topology("lab") == was


def test_a_copy_of_an_older_version_is_read_as_it_always_was(file):
    copy = LabFolder.of("lab").make().path / "topology.yaml"
    copy.write_text(NAMELESS)
    assert read_topology("lab") == replace(load_topology(file), name="topology", file=str(copy))


def test_a_damaged_copy_is_named_with_what_mends_it(file):
    folder = LabFolder.of("lab").make()
    keep_topology(folder, file)
    (folder.path / "topology.yaml").write_text("epolab: [1\n")
    with pytest.raises(TopologyInvalidError, match=r"topology\.yaml: the lab's topology is damaged") as refused:
        read_topology("lab")
    assert refused.value.hint == f"epolab up '{file}' --name lab"
    assert {problem.file for problem in refused.value.problems} == {str(folder.path / "topology.yaml")}


def test_a_copy_that_todays_checks_refuse_is_named_with_the_check(file):
    folder = LabFolder.of("lab").make()
    keep_topology(folder, file)
    old = NAMELESS.replace("sql: {", "r: {components: [relay], version: 4.6.0}, sql: {")
    (folder.path / "topology.yaml").write_text(old)
    assert read_topology("lab").node("hq/r").version == "4.6.0"
    assert require_topology("lab", checked=False) == read_topology("lab")
    with pytest.raises(TopologyInvalidError, match="not valid by the checks of this version: relay-version") as refused:
        require_topology("lab")
    assert refused.value.hint == f"epolab validate '{file}'; epolab up '{file}' --name lab"
    assert {problem.code for problem in refused.value.problems} == {"relay-version"}


def test_a_copy_that_cannot_be_resolved_any_more_is_there_nevertheless(file):
    folder = LabFolder.of("lab").make()
    (folder.path / "topology.yaml").write_text(NAMELESS.replace("[sql]", "[future]"))
    assert read_topology("lab") is None
    for checked in (True, False):
        with pytest.raises(TopologyInvalidError, match="not valid by the checks of this version: "):
            require_topology("lab", checked=checked)


def test_a_lab_that_never_came_so_far_has_none(file):
    assert read_topology("lab") is None
    with pytest.raises(LabNotFoundError):
        require_topology("lab")
