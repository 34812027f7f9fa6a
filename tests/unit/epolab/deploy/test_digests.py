"""Digests: a node is due when its variables, the files they name, its container or the roles are others."""

from pathlib import Path

import pytest

from epolab.deploy.digests import forget, node_digest, record, stale, tree_digest
from epolab.hands.files import LabFolder


@pytest.fixture
def folder(tmp_path: Path) -> LabFolder:
    return LabFolder(tmp_path / "lab").make()


def test_what_a_node_is_made_of_counts(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("one")
    variables = {"sql_password_file": str(secret), "sql_port": 1}
    digests = [node_digest(variables, "container", "roles")]
    digests.append(node_digest(variables | {"sql_port": 2}, "container", "roles"))
    digests.append(node_digest(variables, "other container", "roles"))
    digests.append(node_digest(variables, "container", "other roles"))
    assert node_digest(variables, "container", "roles") == digests[0]
    secret.write_text("two")
    digests.append(node_digest(variables, "container", "roles"))
    assert len(set(digests)) == len(digests)


def test_a_node_is_due_until_it_is_recorded(folder: LabFolder) -> None:
    wanted = {"hq/epo": "1", "hq/sql": "2"}
    assert stale(wanted, folder) == ("hq/epo", "hq/sql")
    record(wanted, {"hq/epo"}, folder)
    assert stale(wanted, folder) == ("hq/sql",)
    record(wanted, {"hq/sql"}, folder)
    assert stale(wanted, folder) == ()
    assert stale(wanted | {"hq/epo": "3"}, folder) == ("hq/epo",)


def test_what_is_begun_is_forgotten_and_what_is_gone_too(folder: LabFolder) -> None:
    record({"hq/epo": "1", "hq/sql": "2"}, {"hq/epo", "hq/sql"}, folder)
    forget(("hq/epo",), folder)
    assert stale({"hq/epo": "1", "hq/sql": "2"}, folder) == ("hq/epo",)
    record({"hq/epo": "1"}, {"hq/epo"}, folder)
    assert folder.read_json("digests.json") == {"hq/epo": "1"}


def test_bytecode_of_roles_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks/main.yml").write_text("a")
    before = tree_digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/x.pyc").write_bytes(b"")
    assert tree_digest(tmp_path) == before
    (tmp_path / "tasks/main.yml").write_text("b")
    assert tree_digest(tmp_path) != before
