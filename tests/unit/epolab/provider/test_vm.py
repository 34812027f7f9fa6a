"""A VM node's container: what it may touch, and that nobody but the guest answers on the node's interfaces."""

from typing import Any

import pytest

from epolab.hands.keys import LabKeys
from epolab.provider.vm import VmKind, machine_of

KEYS = LabKeys(client_public=b"client", host_private=b"host", host_public=b"host.pub")
PROPS: dict[str, Any] = {
    "lab": "h9",
    "owner": "me",
    "expires": None,
    "path": "hq/pc-1",
    "fqdn": "pc-1.hq.test",
    "kind": "vm",
    "components": ["agent"],
    "image": "epolab/vm:0",
    "memory_mib": 192,
    "sysctls": {"net.ipv4.ip_default_ttl": "64"},
    "interfaces": [
        {"name": "eth0", "segment": "hq/lan", "mac": "02:00:00:00:00:11", "cidrs": ["10.1.0.10/24", "fd00:1::10/64"]}
    ],
    "routes": [{"destination": "0.0.0.0/0", "via": "10.1.0.1"}],
    "resolvers": ["10.1.0.1"],
    "own_address": "10.1.0.10",
}


def kind(accelerator: str = "tcg") -> VmKind:
    return VmKind(lambda: accelerator)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(("accelerator", "devices"), [("tcg", ["/dev/net/tun"]), ("kvm", ["/dev/net/tun", "/dev/kvm"])])
def test_the_container_gets_just_the_devices_that_qemu_needs(accelerator: str, devices: list[str]) -> None:
    host = kind(accelerator).container_config(PROPS)["HostConfig"]
    assert [device["PathInContainer"] for device in host["Devices"]] == devices
    assert (host["CapDrop"], host["CapAdd"]) == (["ALL"], ["NET_ADMIN"])


def test_nobody_answers_in_the_container_on_the_node_s_interfaces() -> None:
    assert kind().wiring(PROPS) == {
        "path": "hq/pc-1",
        "interfaces": [{"name": "eth0", "segment": "hq/lan", "mac": "02:00:00:00:00:11", "cidrs": []}],
        "routes": [],
        "sysctls": {},
    }
    sysctls = kind().container_config(PROPS)["HostConfig"]["Sysctls"]
    assert sysctls["net.ipv6.conf.default.disable_ipv6"] == "1"
    assert "net.ipv4.ip_default_ttl" not in sysctls


def test_the_guest_owns_addresses_routes_and_sysctls() -> None:
    guest = machine_of(PROPS)
    assert guest.cards[0].cidrs == ("10.1.0.10/24", "fd00:1::10/64")
    assert guest.routes == (("0.0.0.0/0", "10.1.0.1"),)
    assert guest.sysctls == {"net.ipv4.ip_default_ttl": "64"}


def test_what_every_node_gets_reaches_the_guest_and_not_its_container() -> None:
    files = kind().files(PROPS, KEYS)
    assert files["vm/guest/root/.ssh/authorized_keys"] == (b"client", 0o600)
    assert b"nameserver 10.1.0.1" in files["vm/guest/etc/resolv.conf"][0]
    assert all(path.startswith("vm/") for path in files)


def test_a_stop_lets_the_guest_power_off() -> None:
    config = kind().container_config(PROPS)
    assert config["StopSignal"] == "SIGTERM"
    assert config["StopTimeout"] >= 5
