"""The fabric of a lab: the one container whose network namespace holds bridges, veth ends and shapers.

Props in: lab, owner, expires, created, topology, image, tun (bool), segments (list of paths).
Props out: the same, and container, container_id, started, ssh_public.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from epolab.hands.keys import ensure_keys
from epolab.hands.process import Creator, started, this_process
from epolab.provider.labels import CREATED, DIGEST, TOPOLOGY, digest_of, fabric_container, lab_labels
from epolab.provider.world import World, create_and_start, own_container

Props = dict[str, Any]

REPLACING = ("lab", "image", "tun")
UPDATING = ("segments",)
KEPT = ("owner", "expires", "created", "topology")
# The most there is: the cable must wake up in time whatever the nodes do; niceness counts within a group only.
_CPU_SHARES = 262_144
_CAPABILITIES = ["NET_ADMIN", "NET_RAW", "SYS_ADMIN", "SYS_NICE", "SYS_PTRACE"]


def container_config(props: Mapping[str, Any]) -> Props:
    """What the engine is asked to create; no listener, read-only root, only what wiring needs."""
    labels = lab_labels(props) | {CREATED: props["created"], TOPOLOGY: props["topology"]}
    return {
        "Image": props["image"],
        "Hostname": "fabric",
        "NetworkDisabled": True,
        "Labels": labels | {DIGEST: digest_of([props[key] for key in REPLACING])},
        "HostConfig": {
            "NetworkMode": "none",
            "PidMode": "host",
            "ReadonlyRootfs": True,
            "Tmpfs": {"/run": "", "/tmp": ""},
            "CapDrop": ["ALL"],
            "CapAdd": _CAPABILITIES,
            "SecurityOpt": ["apparmor=unconfined"],
            "CpuShares": _CPU_SHARES,
            "Sysctls": {"net.ipv6.conf.default.disable_ipv6": "1"},
            "Devices": [_TUN] if props["tun"] else [],
            "RestartPolicy": {"Name": "no"},
        },
    }


_TUN = {"PathOnHost": "/dev/net/tun", "PathInContainer": "/dev/net/tun", "CgroupPermissions": "rwm"}


def placed(config: Props, engine: Mapping[str, Any]) -> Props:
    """The configuration for an engine (its `info`), whatever else it puts its containers under.

    Shares count among siblings only, and the engine's common group weighs as much as one process of the host: under
    load the cable would starve with it. A parent must be a slice where systemd keeps the groups; there it stays.
    No part of the digest, so that no fabric is made anew for it.
    """
    if engine.get("CgroupDriver") != "cgroupfs":
        return config
    return config | {"HostConfig": config["HostConfig"] | {"CgroupParent": "/"}}


def _is_same(container: Mapping[str, Any], props: Mapping[str, Any]) -> bool:
    wanted = container_config(props)["Labels"][DIGEST]
    return container["Config"]["Labels"].get(DIGEST) == wanted and bool(container["State"]["Running"])


def first_phase() -> Props:
    """What a new fabric is noted as: being created, by the command that drives the engine.

    An engine that a person drives tells nobody when it is done, so its lab counts as ready from the start.
    """
    named = os.environ.get("EPOLAB_CREATOR_PID")
    pid = int(named) if named else os.getppid()
    creator = Creator(this_process().host, pid, started(pid) or "")
    return {"phase": "creating" if named else "ready", "creator": creator.document()}


def create(world: World, props: Props) -> tuple[str, Props]:
    """Make the fabric, or take over the one that a killed create left."""
    name = fabric_container(props["lab"])
    keys = ensure_keys(world.folder(props["lab"]))
    container = own_container(world.docker, name, props["lab"])
    if container is not None and not _is_same(container, props):
        world.docker.remove(name)
        container = None
    if container is None:
        create_and_start(world.docker, name, placed(container_config(props), world.docker.info()), {})
    try:
        _prepare(world, props)
    except BaseException:
        world.docker.remove(name)
        raise
    return name, _outputs(world, props) | {"ssh_public": keys.client_public.decode().strip()}


def _prepare(world: World, props: Props) -> None:
    fabric = world.fabric(props["lab"])
    if not (fabric.call("phase_read") or {}).get("phase"):
        fabric.call("phase_write", **first_phase())
    if fabric.call("document_read", name="lease") is None:
        lease = {"owner": props["owner"], "expires": props["expires"] or None, "created": props["created"]}
        fabric.call("document_write", name="lease", value=lease)
    for segment in props["segments"]:
        fabric.call("segment_ensure", path=segment)


def _outputs(world: World, props: Props) -> Props:
    name = fabric_container(props["lab"])
    container = world.docker.inspect(name)
    assert container is not None, "a fabric that was just prepared is there"
    started_at = container["State"]["StartedAt"]
    return props | {"container": name, "container_id": container["Id"], "started": started_at}


def read(world: World, state: Props) -> Props | None:
    """What is there now; None when the fabric is gone, stopped or was restarted (then all wiring is gone with it)."""
    container = own_container(world.docker, fabric_container(state["lab"]), state["lab"])
    if container is None or not container["State"]["Running"] or container["Id"] != state["container_id"]:
        return None
    if container["State"]["StartedAt"] != state["started"]:
        return None
    keys = ensure_keys(world.folder(state["lab"]))
    return state | {"ssh_public": keys.client_public.decode().strip()}


def update(world: World, olds: Props, news: Props) -> Props:
    """Add and remove segments; everything else of a fabric is replaced."""
    _prepare(world, news)
    fabric = world.fabric(news["lab"])
    for segment in set(olds["segments"]) - set(news["segments"]):
        fabric.call("segment_remove", path=segment)
    return _outputs(world, news) | {"ssh_public": olds["ssh_public"]}


def delete(world: World, props: Props) -> None:
    """Remove the fabric, and with it every interface and shaper of the lab."""
    if own_container(world.docker, fabric_container(props["lab"]), props["lab"]) is not None:
        world.docker.remove(fabric_container(props["lab"]))


def check(props: Props) -> list[tuple[str, str]]:
    """What is wrong with the props: (property, reason)."""
    return [(key, "is required") for key in ("lab", "owner", "image", "segments") if not props.get(key)]


def is_drifted(_state: Props) -> bool:
    """A fabric that has drifted is read as gone."""
    return False
