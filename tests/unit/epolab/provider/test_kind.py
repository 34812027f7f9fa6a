"""How a container node is made of its props."""

import pytest

from epolab.hands.keys import LabKeys
from epolab.provider.kind import REPLACING, ContainerKind, node_labels, pushed_files

KEYS = LabKeys(b"client", b"host", b"host.pub")


def test_a_node_has_no_privilege_but_its_own_network(node_props):
    config = ContainerKind().container_config(node_props)
    host = config["HostConfig"]
    assert config["Hostname"] == "pc-1"
    assert config["NetworkDisabled"]
    assert host["NetworkMode"] == "none"
    assert host["CapAdd"] == ["NET_ADMIN", "NET_RAW"]
    assert not {"Privileged", "Devices", "Binds", "PidMode"} & host.keys()


def test_labels_find_it(node_props):
    labels = node_labels(node_props)
    assert labels["epolab.node"] == "hq/pc-1"
    assert labels["epolab.components"] == "agent"


@pytest.mark.parametrize("key", REPLACING)
def test_what_cannot_be_changed_in_place_changes_the_digest(node_props, key):
    other = node_props | {key: ["x"] if isinstance(node_props[key], list) else "x"}
    assert node_labels(other)["epolab.digest"] != node_labels(node_props)["epolab.digest"]


def test_what_can_be_changed_does_not(node_props):
    other = node_props | {"routes": [], "resolvers": []}
    assert node_labels(other)["epolab.digest"] == node_labels(node_props)["epolab.digest"]


def test_pushed_files_are_for_roots_eyes_where_they_must(node_props):
    files = pushed_files(node_props, KEYS)
    assert {path for path, (_, mode) in files.items() if mode == 0o600} == {
        "etc/ssh/ssh_host_ed25519_key",
        "root/.ssh/authorized_keys",
    }


def test_wiring_is_what_the_worker_takes(node_props):
    assert ContainerKind().wiring(node_props) == {
        "path": "hq/pc-1",
        "interfaces": node_props["interfaces"],
        "routes": node_props["routes"],
        "sysctls": {},
    }
