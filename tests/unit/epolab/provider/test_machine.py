"""The guest's command line and files: what QEMU is told, and what the guest is told."""

import pytest

from epolab.provider.machine import (
    LEAST_MEMORY_MIB,
    MANAGEMENT_MAC,
    Card,
    Machine,
    container_files,
    network_batch,
    qemu_arguments,
)

LAN = Card("eth0", "02:00:00:00:00:11", ("10.1.0.10/24", "fd00:1::10/64"))
SECOND = Card("eth1", "02:00:00:00:00:12", ("10.2.0.10/24", "fd00:2::10/64"))
ROUTES = (("0.0.0.0/0", "10.1.0.1"), ("::/0", "fd00:1::1"))


def machine(**changes: object) -> Machine:
    facts = {"hostname": "pc-1", "memory_mib": 192, "cards": (LAN,), "routes": ROUTES, "sysctls": {}}
    return Machine(**(facts | changes))  # type: ignore[arg-type]


def value_of(arguments: list[str], option: str) -> str:
    return arguments[arguments.index(option) + 1]


def values_of(arguments: list[str], option: str) -> list[str]:
    return [arguments[place + 1] for place, argument in enumerate(arguments) if argument == option]


@pytest.mark.parametrize(("accelerator", "expected"), [("kvm", "kvm"), ("tcg", "tcg,thread=multi,tb-size=64")])
def test_the_accelerator_is_the_one_that_was_found(accelerator: str, expected: str) -> None:
    assert value_of(qemu_arguments(machine(), accelerator), "-accel") == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(("declared", "given"), [(96, LEAST_MEMORY_MIB), (128, 128), (512, 512)])
def test_a_guest_never_gets_less_memory_than_it_can_boot_with(declared: int, given: int) -> None:
    assert value_of(qemu_arguments(machine(memory_mib=declared), "tcg"), "-m") == str(given)


def test_cards_come_in_the_order_of_the_interfaces_and_management_comes_last() -> None:
    devices = values_of(qemu_arguments(machine(cards=(LAN, SECOND)), "tcg"), "-device")
    cards = [device for device in devices if device.startswith("virtio-net-pci")]
    assert [card.split("mac=")[1].split(",")[0] for card in cards] == [LAN.mac, SECOND.mac, MANAGEMENT_MAC]


def test_each_card_has_the_tap_of_its_place() -> None:
    backends = values_of(qemu_arguments(machine(cards=(LAN, SECOND)), "tcg"), "-netdev")
    assert [backend.split("ifname=")[1].split(",")[0] for backend in backends[:2]] == ["tap0", "tap1"]


def test_management_is_shut_in_and_forwarded_to_loopback_alone() -> None:
    management = values_of(qemu_arguments(machine(), "tcg"), "-netdev")[-1].split(",")
    assert "restrict=on" in management
    assert all(part.startswith("hostfwd=tcp:127.0.0.1:") for part in management if part.startswith("hostfwd"))


def test_the_guest_sets_addresses_then_links_then_routes() -> None:
    assert network_batch((LAN,), ROUTES) == [
        "link set dev lo up",
        "address add 10.1.0.10/24 dev eth0",
        "address add fd00:1::10/64 dev eth0 nodad",
        "link set dev eth0 up",
        "route replace 0.0.0.0/0 via 10.1.0.1",
        "route replace ::/0 via fd00:1::1",
    ]


def test_pushed_files_go_to_the_guest_with_their_mode() -> None:
    files = container_files(machine(), "tcg", {"root/.ssh/authorized_keys": (b"key\n", 0o600)})
    assert files["vm/guest/root/.ssh/authorized_keys"] == (b"key\n", 0o600)
    assert "root/.ssh/authorized_keys" not in files


def test_the_guest_learns_name_interfaces_and_sysctls() -> None:
    files = container_files(machine(sysctls={"net.ipv4.ip_forward": "1"}), "tcg", {})
    assert files["vm/guest/etc/hostname"][0] == b"pc-1\n"
    assert files["vm/guest/etc/epolab/interfaces"][0] == b"02:00:00:00:00:11 eth0\n"
    assert files["vm/guest/etc/epolab/sysctls"][0] == b"net.ipv4.ip_forward = 1\n"
    assert files["vm/interfaces"][0] == b"eth0\n"


def test_one_argument_per_line_gives_qemu_back_what_was_meant() -> None:
    content, _ = container_files(machine(), "tcg", {})["vm/qemu.args"]
    assert content.decode().splitlines() == qemu_arguments(machine(), "tcg")
