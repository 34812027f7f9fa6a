"""What a VM node's guest is made of: QEMU's command line and the files that tell the guest who it is; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from epolab.hands.acceleration import Accelerator

File = tuple[bytes, int]  # content and mode

MANAGEMENT_MAC = "52:54:00:65:70:6f"  # the same in images/vm/guest/usr/local/sbin/guest-network
LEAST_MEMORY_MIB = 128  # below it the guest swaps nothing and kills sshd
GUEST_FOLDER = "vm/guest"  # in the container; the guest unpacks what lies below it at every boot

KERNEL_LINE = (
    "console=ttyS0 quiet root=/dev/nvme0n1 rw init=/sbin/init panic=-1 tsc=reliable mitigations=off "
    "random.trust_cpu=on no_timer_check net.ifnames=0"
)

_ACCELERATOR = {"kvm": "kvm", "tcg": "tcg,thread=multi,tb-size=64"}


@dataclass(frozen=True, slots=True)
class Card:
    """One network card of the guest: the name and addresses that the guest gives it."""

    name: str
    mac: str
    cidrs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """One guest; `routes` are pairs of destination and next hop, `sysctls` are set in the guest."""

    hostname: str
    memory_mib: int
    cards: tuple[Card, ...]
    routes: tuple[tuple[str, str], ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)


def qemu_arguments(machine: Machine, accelerator: Accelerator) -> list[str]:
    """QEMU's arguments, without the program; paths are those in the VM's container."""
    return [
        *_processor(machine, accelerator),
        *_kernel_and_disks(),
        *(argument for place, card in enumerate(machine.cards) for argument in _card(place, card)),
        *_management_card(),
        *("-qmp", "unix:/run/qmp.sock,server=on,wait=off"),
    ]


def _processor(machine: Machine, accelerator: Accelerator) -> list[str]:
    memory = max(machine.memory_mib, LEAST_MEMORY_MIB)
    return [
        *("-name", machine.hostname, "-M", "q35,hpet=off", "-accel", _ACCELERATOR[accelerator]),
        *("-cpu", "max", "-m", str(memory), "-smp", "1"),
        *("-nodefaults", "-no-user-config", "-display", "none"),
        *("-chardev", "stdio,id=console,signal=off,logfile=/run/console.log", "-serial", "chardev:console"),
    ]


def _kernel_and_disks() -> list[str]:
    """The node's own disk, and beside it the archive of the node's own files, as two namespaces of one NVMe device."""
    return [
        *("-kernel", "/vm/vmlinuz", "-append", KERNEL_LINE),
        *("-device", "nvme,id=nvme,serial=node"),
        *("-drive", "if=none,id=disk,file=/vm/node.qcow2,format=qcow2,cache=unsafe"),
        *("-device", "nvme-ns,drive=disk,bus=nvme,nsid=1"),
        *("-drive", "if=none,id=seed,file=/run/seed.tar,format=raw,readonly=on"),
        *("-device", "nvme-ns,drive=seed,bus=nvme,nsid=2"),
    ]


def _card(place: int, card: Card) -> list[str]:
    return [
        *("-netdev", f"tap,id=net{place},ifname=tap{place},script=no,downscript=no,vhost=off"),
        *("-device", f"virtio-net-pci,netdev=net{place},mac={card.mac},romfile="),
    ]


def _management_card() -> list[str]:
    """QEMU's own user-mode network, cut off from everything but the loopback of the VM's container."""
    forwards = "hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=tcp:127.0.0.1:2223-:23"
    return [
        *("-netdev", f"user,id=management,restrict=on,ipv6=off,{forwards}"),
        *("-device", f"virtio-net-pci,netdev=management,mac={MANAGEMENT_MAC},romfile="),
    ]


def network_batch(cards: Sequence[Card], routes: Sequence[tuple[str, str]]) -> list[str]:
    """Lines for `ip -batch` in the guest: addresses before links, links before routes."""
    return [
        "link set dev lo up",
        *(f"address add {cidr} dev {card.name}{_nodad(cidr)}" for card in cards for cidr in card.cidrs),
        *(f"link set dev {card.name} up" for card in cards),
        *(f"route replace {destination} via {via}" for destination, via in routes),
    ]


def _nodad(cidr: str) -> str:
    return " nodad" if ":" in cidr else ""


def container_files(machine: Machine, accelerator: Accelerator, pushed: Mapping[str, File]) -> dict[str, File]:
    """Every file of the VM's container that belongs to this node; `pushed` are the guest's own; no leading slashes."""
    guest = {**pushed, **_guest_files(machine)}
    return {
        "vm/qemu.args": _lines(qemu_arguments(machine, accelerator)),
        "vm/interfaces": _lines(card.name for card in machine.cards),
        **{f"{GUEST_FOLDER}/{path}": file for path, file in guest.items()},
    }


def _guest_files(machine: Machine) -> dict[str, File]:
    return {
        "etc/hostname": _lines([machine.hostname]),
        "etc/epolab/interfaces": _lines(f"{card.mac} {card.name}" for card in machine.cards),
        "etc/epolab/network": _lines(network_batch(machine.cards, machine.routes)),
        "etc/epolab/sysctls": _lines(f"{name} = {value}" for name, value in sorted(machine.sysctls.items())),
    }


def _lines(lines: Iterable[str]) -> File:
    return "".join(f"{line}\n" for line in lines).encode(), 0o644
