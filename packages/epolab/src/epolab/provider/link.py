"""One WAN link of a lab: the cable between two site routers, and the shape of each direction.

Props in: lab, name, driver, a_to_b, b_to_a; a and b, each {path, interface, mac, cidrs, routes}; a_pid, b_pid and
fabric_id, which are outputs of the nodes and of the fabric.
Props out: the same, and applied (a digest of what the fabric holds).
"""

from __future__ import annotations

from typing import Any

from epolab.provider.labels import fabric_container
from epolab.provider.world import World

Props = dict[str, Any]

REPLACING = ("lab", "name")
UPDATING = ("driver", "a_to_b", "b_to_a", "a", "b", "a_pid", "b_pid", "fabric_id")
KEPT: tuple[str, ...] = ()


def _end(props: Props, end: str) -> Props:
    return {**props[end], "pid": int(props[f"{end}_pid"]), "sysctls": {}}


def _apply(world: World, props: Props) -> Props:
    world.fabric(props["lab"]).call(
        "link_apply",
        name=props["name"],
        a=_end(props, "a"),
        b=_end(props, "b"),
        driver=props["driver"],
        a_to_b=props["a_to_b"],
        b_to_a=props["b_to_a"],
    )
    return props


def create(world: World, props: Props) -> tuple[str, Props]:
    """Lay the cable; idempotent, so one that a killed create left is taken over."""
    try:
        return f"{props['lab']}/{props['name']}", _apply(world, props)
    except BaseException:
        delete(world, props)
        raise


def read(world: World, state: Props) -> Props | None:
    """What is there now; None when the fabric is gone, does not hold the link, or an end of it is loose."""
    container = world.docker.inspect(fabric_container(state["lab"]))
    if container is None or not container["State"]["Running"]:
        return None
    return state if is_whole(world.fabric(state["lab"]).call("link_state").get(state["name"])) else None


def is_whole(held: Props | None) -> bool:
    """Whether the fabric holds a link with both its ends attached."""
    return held is not None and bool(held["a"]["attached"] and held["b"]["attached"])


def update(world: World, olds: Props, news: Props) -> Props:
    """Change parameters live, or attach again where an end was restarted."""
    if olds["driver"] != news["driver"]:
        delete(world, olds)
    return _apply(world, news)


def delete(world: World, props: Props) -> None:
    """Take the cable away; fine if it or the fabric is gone."""
    container = world.docker.inspect(fabric_container(props["lab"]))
    if container is not None and container["State"]["Running"]:
        world.fabric(props["lab"]).call("link_remove", name=props["name"])


def is_drifted(_state: Props) -> bool:
    """A link that has drifted is read as gone."""
    return False


def check(props: Props) -> list[tuple[str, str]]:
    """What is wrong with the props: (property, reason)."""
    return [(key, "is required") for key in ("lab", "name", "driver", "a", "b") if not props.get(key)]
