"""A VM node beside a container node on one segment: booted, wired, reached by ssh, stopped, restarted, removed."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from epolab.hands.docker import Docker
from epolab.hands.files import LabFolder
from epolab.hands.guest import until_listening
from epolab.hands.run import run
from epolab.hands.ssh import ssh_argv
from epolab.images import ensure_image
from epolab.provider import fabric, node
from epolab.provider.world import World

pytestmark = pytest.mark.integration

LAB = f"vmtest-{os.getpid()}"
SHARED = {"lab": LAB, "owner": "test", "expires": None}
SEGMENT = "hq/lan"


def node_props(name: str, kind: str, image: str, last: int) -> dict[str, Any]:
    cidrs = [f"10.77.0.{last}/24", f"fd00:77::{last}/64"]
    card = {"name": "eth0", "segment": SEGMENT, "mac": f"02:00:00:00:77:{last:02d}", "cidrs": cidrs}
    own = {"path": f"hq/{name}", "fqdn": f"{name}.hq.test", "kind": kind, "image": image, "interfaces": [card]}
    rest = {"components": ["agent"], "memory_mib": 192, "resolvers": ["10.77.0.11"], "own_address": f"10.77.0.{last}"}
    sysctls = {} if kind == "container" else {"net.ipv4.ip_default_ttl": "61"}
    return {**SHARED, **own, **rest, "routes": [], "sysctls": sysctls}


class Lab:
    """Two nodes of either kind, as the provider makes them."""

    def __init__(self, world: World, folder: LabFolder) -> None:
        self.world, self.folder = world, folder
        images = {name: ensure_image(name).reference for name in ("fabric", "node", "vm")}
        created = {"created": "2026-01-01T00:00:00Z", "topology": "vmtest", "tun": False, "segments": [SEGMENT]}
        fabric.create(world, {**SHARED, **created, "image": images["fabric"]})
        _, self.pc = node.create(world, node_props("pc-1", "container", images["node"], 11))
        _, self.vm = node.create(world, node_props("vm-1", "vm", images["vm"], 12))

    def ssh(self, command: str) -> str:
        """What a command says in the guest."""
        done = run(ssh_argv(self.folder, self.vm["container"], "vm", ["sh", "-c", command]), limit_seconds=60)
        assert done.exit_code == 0, done.complaint
        return done.text.strip()

    def answers(self, address: str) -> bool:
        """Whether the container node's ping is answered from the segment."""
        done = self.world.docker.exec(self.pc["container"], ["ping", "-c", "1", "-W", "5", address])
        return done.exit_code == 0

    def wire_again(self) -> None:
        """What `up` does when it finds the node stopped or restarted."""
        self.vm = node.update(self.world, self.vm, self.vm)
        until_listening(self.world.docker, self.vm["container"])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EPOLAB_HOME", str(tmp_path_factory.mktemp("home")))
        docker = Docker.connect()
        world = World(docker)
        try:
            made = Lab(world, world.folder(LAB))
            until_listening(docker, made.vm["container"])
            yield made
            world.fabric(LAB).close()
        finally:
            for name in ("hq.pc-1", "hq.vm-1", "fabric"):
                docker.remove(f"{LAB}.{name}")


def test_the_guest_is_a_machine_of_its_own_with_the_node_s_name(lab: Lab) -> None:
    assert lab.ssh("hostname; uname -r") != f"vm-1\n{os.uname().release}"
    assert lab.ssh("hostname") == "vm-1"
    assert lab.ssh("cat /proc/1/comm") == "runit"


def test_the_guest_owns_the_node_s_mac_addresses_and_sysctls(lab: Lab) -> None:
    assert lab.ssh("ls /sys/class/net").split() == ["eth0", "lo"]
    assert lab.ssh("cat /sys/class/net/eth0/address") == "02:00:00:00:77:12"
    shown = lab.ssh("ip -o address show dev eth0 scope global")
    assert "10.77.0.12/24" in shown
    assert "fd00:77::12/64" in shown
    assert lab.ssh("cat /proc/sys/net/ipv4/ip_default_ttl") == "61"
    assert lab.world.docker.exec(lab.vm["container"], ["ip", "-o", "address", "show", "dev", "eth0"]).text == ""


def test_what_is_pushed_into_a_node_reaches_the_guest(lab: Lab) -> None:
    assert "nameserver 10.77.0.11" in lab.ssh("cat /etc/resolv.conf")
    assert "vm-1.hq.test" in lab.ssh("cat /etc/hosts")


def test_the_segment_reaches_the_guest_in_both_families(lab: Lab) -> None:
    assert lab.answers("10.77.0.12")
    assert lab.answers("fd00:77::12")


def test_the_lab_s_firewall_does_not_see_management(lab: Lab) -> None:
    lab.ssh("iptables -I INPUT ! -i lo -j DROP")
    try:
        assert not lab.answers("10.77.0.12")
        assert lab.ssh("echo still here") == "still here"
    finally:
        lab.ssh("iptables -D INPUT ! -i lo -j DROP")
    assert lab.answers("10.77.0.12")


def test_a_replaced_interface_is_joined_again_under_the_running_guest(lab: Lab) -> None:
    uptime = float(lab.ssh("cut -d ' ' -f 1 /proc/uptime"))
    lab.world.fabric(LAB).call("node_unwire", path="hq/vm-1")
    assert not lab.answers("10.77.0.12")
    lab.wire_again()
    assert lab.answers("10.77.0.12")
    assert float(lab.ssh("cut -d ' ' -f 1 /proc/uptime")) > uptime


def test_a_stop_powers_the_guest_off_and_a_start_keeps_its_disk(lab: Lab) -> None:
    lab.ssh("echo kept > /root/kept; mkdir -p /etc/iptables; ip6tables -A INPUT -p tcp --dport 8081 -j ACCEPT")
    lab.ssh("ip6tables-save > /etc/iptables/rules.v6")
    subprocess.run(["docker", "stop", lab.vm["container"]], check=True, capture_output=True)
    state = lab.world.docker.inspect(lab.vm["container"])
    assert state is not None
    assert (state["State"]["Running"], state["State"]["ExitCode"]) == (False, 0)
    lab.wire_again()
    assert lab.ssh("cat /root/kept") == "kept"
    assert "--dport 8081" in lab.ssh("ip6tables -S INPUT")
    assert "recovery complete" not in lab.ssh("dmesg")
    assert lab.answers("fd00:77::12")


def test_a_kill_is_a_power_cut_that_the_disk_survives(lab: Lab) -> None:
    lab.ssh("echo synced > /root/synced; sync")
    subprocess.run(["docker", "kill", lab.vm["container"]], check=True, capture_output=True)
    began = time.monotonic()
    lab.wire_again()
    print(f"killed guest answers again after {time.monotonic() - began:.1f} s")  # noqa: T201
    assert lab.ssh("cat /root/synced") == "synced"
    assert lab.answers("10.77.0.12")


def test_a_changed_address_is_the_guest_s_after_an_update(lab: Lab) -> None:
    moved = {**lab.vm["interfaces"][0], "cidrs": ["10.77.0.13/24", "fd00:77::13/64"]}
    lab.vm = node.update(lab.world, lab.vm, {**lab.vm, "interfaces": [moved]})
    until_listening(lab.world.docker, lab.vm["container"])
    assert lab.answers("10.77.0.13")
    assert lab.answers("fd00:77::13")
    assert not lab.answers("10.77.0.12")


def test_a_removed_vm_leaves_no_volume_and_no_process(lab: Lab) -> None:
    container = lab.world.docker.inspect(lab.vm["container"])
    assert container is not None
    assert [mount for mount in container["Mounts"] if mount["Type"] == "volume"] == []
    pid = int(container["State"]["Pid"])
    node.delete(lab.world, lab.vm)
    assert lab.world.docker.inspect(lab.vm["container"]) is None
    assert not Path(f"/proc/{pid}").exists()
