"""The lab's ssh keys."""

import pytest

from epolab.hands.files import LabFolder
from epolab.hands.keys import ensure_keys, read_keys


@pytest.fixture(name="folder")
def folder_fixture(tmp_path):
    return LabFolder(tmp_path / "lab")


def test_keys_are_made_once(folder):
    first = ensure_keys(folder)
    assert ensure_keys(folder) == read_keys(folder) == first


def test_private_keys_are_for_the_owner_alone(folder):
    ensure_keys(folder)
    for name in ("id_ed25519", "host_ed25519"):
        path = folder.path / "ssh" / name
        assert path.read_bytes().startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")
        assert path.stat().st_mode & 0o777 == 0o600


def test_any_node_is_known_by_the_labs_host_key(folder):
    keys = ensure_keys(folder)
    assert (folder.path / "ssh/known_hosts").read_bytes() == b"* " + keys.host_public
