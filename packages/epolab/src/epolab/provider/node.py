"""One node of a lab: its container, the files pushed into it, and its interfaces in the fabric.

Props in: lab, owner, expires, path, fqdn, kind, components, image, memory_mib, sysctls, interfaces, routes, resolvers,
own_address; fabric_id and ssh_public, which are outputs of the fabric.
Props out: the same, and container, container_id, started, pid, wired_pid, running.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from epolab.errors import FabricError
from epolab.hands.acceleration import accelerator
from epolab.hands.keys import read_keys
from epolab.provider.kind import REPLACING as REPLACING
from epolab.provider.kind import ContainerKind, NodeKind
from epolab.provider.labels import DIGEST, fabric_container, node_container
from epolab.provider.vm import VmKind
from epolab.provider.world import World, create_and_start, own_container

Props = dict[str, Any]

UPDATING = ("interfaces", "routes", "resolvers", "fqdn", "own_address", "fabric_id", "ssh_public")
KEPT = ("owner", "expires")
_READ_AT_BOOT = ("interfaces", "routes", "resolvers", "fqdn", "own_address", "ssh_public")


def kind_of(world: World, props: Mapping[str, Any]) -> NodeKind:
    """The maker of this kind of node."""
    if props["kind"] == "vm":
        return VmKind(lambda: accelerator(world.docker, props["image"]))
    return ContainerKind()


def _name(props: Mapping[str, Any]) -> str:
    return node_container(props["lab"], props["path"])


def create(world: World, props: Props) -> tuple[str, Props]:
    """Make the node and wire it, or take over the one that a killed create left."""
    name, kind = _name(props), kind_of(world, props)
    config = kind.container_config(props)
    container = own_container(world.docker, name, props["lab"])
    if container is not None and not _is_usable(container, config):
        world.docker.remove(name)
        container = None
    files = kind.files(props, read_keys(world.folder(props["lab"])))
    try:
        if container is None:
            create_and_start(world.docker, name, config, files)
        else:
            world.docker.put_files(name, files)
        return name, _wire(world, props)
    except BaseException:
        delete(world, props)
        raise


def _is_usable(container: Mapping[str, Any], config: Props) -> bool:
    same = container["Config"]["Labels"].get(DIGEST) == config["Labels"][DIGEST]
    return same and bool(container["State"]["Running"])


def _observed(container: Mapping[str, Any]) -> Props:
    state = container["State"]
    return {
        "container_id": container["Id"],
        "started": state["StartedAt"],
        "pid": state["Pid"],
        "running": bool(state["Running"]),
    }


def _wire(world: World, props: Props) -> Props:
    """Push the node's interfaces in; idempotent."""
    container = world.docker.inspect(_name(props))
    assert container is not None, "a node is there while it is wired"
    observed = _observed(container)
    world.fabric(props["lab"]).call("node_wire", pid=observed["pid"], **kind_of(world, props).wiring(props))
    return props | observed | {"container": _name(props), "wired_pid": observed["pid"]}


def read(world: World, state: Props) -> Props | None:
    """What is there now; None when the container is gone or is another one."""
    container = own_container(world.docker, _name(state), state["lab"])
    if container is None or container["Id"] != state["container_id"]:
        return None
    return state | _observed(container)


def is_drifted(state: Props) -> bool:
    """Whether the node stopped, or was restarted and so lost its wiring."""
    return not state.get("running") or int(state.get("pid") or 0) != int(state.get("wired_pid") or -1)


def update(world: World, olds: Props, news: Props) -> Props:
    """Start it if it has stopped, write its files, wire it again; its container stays the same."""
    world.docker.put_files(_name(news), kind_of(world, news).files(news, read_keys(world.folder(news["lab"]))))
    if _must_boot(olds, news):
        world.docker.stop(_name(news))
    world.docker.start(_name(news))
    return _wire(world, news)


def _must_boot(olds: Props, news: Props) -> bool:
    """A guest reads what is written into its container only when it boots."""
    return news["kind"] == "vm" and any(olds.get(key) != news.get(key) for key in _READ_AT_BOOT)


def delete(world: World, props: Props) -> None:
    """Remove the node, also when it or its fabric is gone already."""
    if own_container(world.docker, _name(props), props["lab"]) is not None:
        world.docker.remove(_name(props))
    fabric = world.docker.inspect(fabric_container(props["lab"]))
    if fabric is not None and fabric["State"]["Running"]:
        _unwire(world, props)


def _unwire(world: World, props: Props) -> None:
    try:
        world.fabric(props["lab"]).call("node_unwire", path=props["path"])
    except FabricError:
        if world.docker.inspect(fabric_container(props["lab"])) is not None:
            raise  # the fabric is there and refused; where it has gone meanwhile, so has the wiring


def check(props: Props) -> list[tuple[str, str]]:
    """What is wrong with the props: (property, reason)."""
    return [(key, "is required") for key in ("lab", "owner", "path", "image", "kind") if not props.get(key)]
