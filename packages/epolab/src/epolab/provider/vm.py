"""How a VM node is made: the container that holds QEMU, the files that make the guest this node, and its wiring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from epolab.hands.acceleration import Accelerator
from epolab.hands.keys import LabKeys
from epolab.provider.kind import Files, Props, node_labels, pushed_files
from epolab.provider.machine import Card, Machine, container_files

STOP_SECONDS = 10  # a guest powers off in about two
_DEVICES = {"tcg": ("/dev/net/tun",), "kvm": ("/dev/net/tun", "/dev/kvm")}
# In the container's own namespace nobody answers on the node's interfaces: they belong to the guest.
_SILENT = {"net.ipv6.conf.all.disable_ipv6": "1", "net.ipv6.conf.default.disable_ipv6": "1"}


def machine_of(props: Mapping[str, Any]) -> Machine:
    """The guest that a node's props describe."""
    return Machine(
        hostname=str(props["fqdn"]).partition(".")[0],
        memory_mib=int(props["memory_mib"]),
        cards=tuple(Card(card["name"], card["mac"], tuple(card["cidrs"])) for card in props["interfaces"]),
        routes=tuple((route["destination"], route["via"]) for route in props["routes"]),
        sysctls=dict(props["sysctls"]),
    )


class VmKind:
    """A node that is a QEMU guest in a container; `accelerator` says what this engine's host can do."""

    def __init__(self, accelerator: Callable[[], Accelerator]) -> None:
        self._accelerator = accelerator

    def container_config(self, props: Mapping[str, Any]) -> Props:
        """A container without any network of the engine's, with just the devices that QEMU needs."""
        return {
            "Image": props["image"],
            "Hostname": str(props["fqdn"]).partition(".")[0],
            "NetworkDisabled": True,
            "Labels": node_labels(props),
            "StopSignal": "SIGTERM",
            "StopTimeout": STOP_SECONDS,
            "HostConfig": {
                "NetworkMode": "none",
                "CapDrop": ["ALL"],
                "CapAdd": ["NET_ADMIN"],
                "Devices": [_device(path) for path in _DEVICES[self._accelerator()]],
                "Sysctls": _SILENT,
                "RestartPolicy": {"Name": "no"},
            },
        }

    def files(self, props: Mapping[str, Any], keys: LabKeys) -> Files:
        """QEMU's arguments, and below the guest's folder what every node gets."""
        return container_files(machine_of(props), self._accelerator(), pushed_files(props, keys))

    def wiring(self, props: Mapping[str, Any]) -> Props:
        """The interfaces alone: the guest sets addresses, routes and sysctls itself."""
        return {
            "path": props["path"],
            "interfaces": [{**card, "cidrs": []} for card in props["interfaces"]],
            "routes": [],
            "sysctls": {},
        }


def _device(path: str) -> Props:
    return {"PathOnHost": path, "PathInContainer": path, "CgroupPermissions": "rwm"}
