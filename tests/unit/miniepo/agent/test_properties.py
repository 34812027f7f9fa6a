"""What an agent says about its node."""

from ipaddress import IPv4Interface, IPv6Interface
from pathlib import Path

from miniepo.agent.properties import Machine, computer_properties, product_properties, read_machine
from miniepo.wire.interfaces import Interface
from tests.unit.miniepo.standins import agent_config

LO = Interface("lo", 1, "00:00:00:00:00:00", IPv4Interface("127.0.0.1/8"), (IPv6Interface("::1/128"),))
ETH0 = Interface(
    "eth0",
    2,
    "02:00:0a:78:21:f1",
    IPv4Interface("10.3.0.21/24"),
    (IPv6Interface("fe80::1/64"), IPv6Interface("fd00:3::21/64")),
)
ETH1 = Interface("eth1", 3, "02:00:00:00:00:02", IPv4Interface("10.9.0.21/24"), ())
MACHINE = Machine("6.1", "x86_64", "CPU", 2, 8 << 30, (3 << 20) + 5, 9_000_000_000, 4_000_000_000, (LO, ETH0, ETH1))


def test_the_first_interface_names_the_node(tmp_path: Path) -> None:
    found = computer_properties(agent_config(tmp_path), MACHINE)
    expected = {
        "ComputerName": "pc-1",
        "IPHostName": "pc-1.tokyo.test",
        "DomainName": "(none)",
        "IPAddress": "10.3.0.21",
        "IPSubnet": "10.3.0.0",
        "IPSubnetMask": "255.255.255.0",
        "IPV6": "fd00:3::21",
        "NetAddress": "02000A7821F1",
        "TotalPhysicalMemory": str(8 << 30),
        "FreeMemory": str(3 << 20),
        "TotalDiskSpace": "9000",
        "FreeDiskSpace": "4000",
    }
    assert {name: found.get(name) for name in expected} == expected


def test_products_are_dotted() -> None:
    assert product_properties({"VSCANDAT1000": "10001.0000"}) == {"Product.VSCANDAT1000.Version": "10001.0000"}


def test_this_machine_can_be_read(tmp_path: Path) -> None:
    machine = read_machine(tmp_path)
    assert machine.memory_total > machine.memory_free > 0
    assert machine.disk_total > 0 and machine.cpus >= 1
    assert any(interface.is_loopback for interface in machine.interfaces)
