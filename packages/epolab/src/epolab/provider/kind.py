"""What differs between kinds of node (container or VM), and how a container node is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from epolab.hands.keys import LabKeys
from epolab.provider.labels import COMPONENTS, DIGEST, KIND, NODE, digest_of, lab_labels

Props = dict[str, Any]
Files = dict[str, tuple[bytes, int]]

# What cannot be changed on a node that exists; it is made anew instead.
REPLACING = ("lab", "path", "kind", "image", "memory_mib", "components", "sysctls")


class NodeKind(Protocol):
    """How one kind of node is made from its props."""

    def container_config(self, props: Mapping[str, Any]) -> Props:
        """What the engine is asked to create."""

    def files(self, props: Mapping[str, Any], keys: LabKeys) -> Files:
        """What is written into it before it starts: path without leading slash → (content, mode)."""

    def wiring(self, props: Mapping[str, Any]) -> Props:
        """The arguments of the fabric's `node_wire`, but for the process id."""


def node_labels(props: Mapping[str, Any]) -> dict[str, str]:
    """What a node's container carries, so that it is found and known without any state."""
    return lab_labels(props) | {
        NODE: props["path"],
        KIND: props["kind"],
        COMPONENTS: ",".join(props["components"]),
        DIGEST: digest_of([props[key] for key in REPLACING]),
    }


def pushed_files(props: Mapping[str, Any], keys: LabKeys) -> Files:
    """The files that every node gets, whatever its kind; the engine writes none where networking is disabled."""
    name, _, domain = str(props["fqdn"]).partition(".")
    hosts = f"127.0.0.1 localhost\n::1 localhost ip6-localhost\n{props['own_address']} {props['fqdn']} {name}\n"
    servers = "".join(f"nameserver {address}\n" for address in props["resolvers"])
    return {
        "etc/hosts": (hosts.encode(), 0o644),
        "etc/resolv.conf": (f"search {domain}\n{servers}options timeout:1 attempts:3\n".encode(), 0o644),
        "etc/ssh/ssh_host_ed25519_key": (keys.host_private, 0o600),
        "etc/ssh/ssh_host_ed25519_key.pub": (keys.host_public, 0o644),
        "root/.ssh/authorized_keys": (keys.client_public, 0o600),
    }


class ContainerKind:
    """A node that is a container."""

    def container_config(self, props: Mapping[str, Any]) -> Props:
        """A container without any network of the engine's; the fabric pushes its interfaces in."""
        return {
            "Image": props["image"],
            "Hostname": str(props["fqdn"]).partition(".")[0],
            "NetworkDisabled": True,
            "Labels": node_labels(props),
            "StopSignal": "SIGKILL",
            "HostConfig": {
                "NetworkMode": "none",
                "CapAdd": ["NET_ADMIN", "NET_RAW"],
                "Sysctls": props["sysctls"],
                "RestartPolicy": {"Name": "no"},
            },
        }

    def files(self, props: Mapping[str, Any], keys: LabKeys) -> Files:
        """Only what every node gets."""
        return pushed_files(props, keys)

    def wiring(self, props: Mapping[str, Any]) -> Props:
        """All interfaces and routes of its segments."""
        return {
            "path": props["path"],
            "interfaces": props["interfaces"],
            "routes": props["routes"],
            "sysctls": {},
        }
