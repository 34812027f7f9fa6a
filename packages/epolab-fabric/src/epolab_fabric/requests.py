"""What a request may hold: frozen records, decoded strictly from a request's JSON arguments."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass
from typing import Any, Literal

from epolab_fabric.errors import RequestInvalidFault

Driver = Literal["cable", "none"]


@dataclass(frozen=True, slots=True)
class RouteRecord:
    """A static route; `destination` is a CIDR text or `default`, `via` the next hop's address."""

    destination: str
    via: str


@dataclass(frozen=True, slots=True)
class InterfaceRecord:
    """One interface of a node on a segment; no CIDRs means that the owner of the node addresses it."""

    name: str
    segment: str
    mac: str
    cidrs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """A node to wire: `pid` is the host's number of a process in its network namespace."""

    pid: int
    path: str
    interfaces: tuple[InterfaceRecord, ...]
    routes: tuple[RouteRecord, ...]
    sysctls: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ShapeRecord:
    """One direction of a link; the delay is one way, `jitter_ms` its standard deviation, `rate_bps` None unshaped."""

    rate_bps: int | None = None
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss_ratio: float = 0.0
    queue_ms: float = 200.0
    reorder: bool = False


@dataclass(frozen=True, slots=True)
class EndRecord:
    """One end of a link: an interface of a router."""

    path: str
    pid: int
    interface: str
    mac: str
    cidrs: tuple[str, ...]
    routes: tuple[RouteRecord, ...] = ()
    sysctls: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """A link to apply."""

    name: str
    a: EndRecord
    b: EndRecord
    driver: Driver
    a_to_b: ShapeRecord
    b_to_a: ShapeRecord

    def document(self) -> dict[str, Any]:
        """The record as JSON values."""
        return asdict(self)


def _fields(what: str, values: Any, required: Set[str], optional: Set[str] = frozenset()) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise RequestInvalidFault(f"{what} must be an object")
    missing, unknown = required - values.keys(), values.keys() - required - optional
    if missing or unknown:
        raise RequestInvalidFault(f"{what}: missing {sorted(missing)}, unknown {sorted(unknown)}")
    return values


def _texts(what: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise RequestInvalidFault(f"{what} must be a list of texts")
    return tuple(values)


def _sysctls(values: Any) -> dict[str, str]:
    if not isinstance(values, dict):
        raise RequestInvalidFault("sysctls must be an object")
    return {str(name): str(value) for name, value in values.items()}


def _routes(values: Any) -> tuple[RouteRecord, ...]:
    return tuple(RouteRecord(**_fields("route", value, {"destination", "via"})) for value in values or ())


def decode_interface(values: Any) -> InterfaceRecord:
    """An interface of a node from JSON values."""
    held = _fields("interface", values, {"name", "segment", "mac", "cidrs"})
    return InterfaceRecord(held["name"], held["segment"], held["mac"], _texts("cidrs", held["cidrs"]))


def decode_node(values: Any) -> NodeRecord:
    """A node from the arguments of `node_wire`."""
    held = _fields("node_wire", values, {"pid", "path", "interfaces"}, {"routes", "sysctls"})
    interfaces = tuple(decode_interface(item) for item in held["interfaces"])
    return NodeRecord(
        int(held["pid"]), held["path"], interfaces, _routes(held.get("routes")), _sysctls(held.get("sysctls") or {})
    )


def decode_shape(values: Any) -> ShapeRecord:
    """A direction's shape from JSON values; an absent key means its default."""
    optional = {"rate_bps", "delay_ms", "jitter_ms", "loss_ratio", "queue_ms", "reorder"}
    shape = ShapeRecord(**_fields("shape", values, set(), optional))
    if shape.rate_bps is not None and shape.rate_bps <= 0:
        raise RequestInvalidFault("rate_bps must be positive or null")
    if min(shape.delay_ms, shape.jitter_ms, shape.queue_ms) < 0 or not 0 <= shape.loss_ratio < 1:
        raise RequestInvalidFault("delay_ms, jitter_ms and queue_ms must not be negative, loss_ratio in [0, 1)")
    return shape


def decode_end(values: Any) -> EndRecord:
    """One end of a link from JSON values."""
    held = _fields("end", values, {"path", "pid", "interface", "mac", "cidrs"}, {"routes", "sysctls"})
    cidrs, routes = _texts("cidrs", held["cidrs"]), _routes(held.get("routes"))
    sysctls = _sysctls(held.get("sysctls") or {})
    return EndRecord(held["path"], int(held["pid"]), held["interface"], held["mac"], cidrs, routes, sysctls)


def decode_link(values: Any) -> LinkRecord:
    """A link from the arguments of `link_apply`."""
    held = _fields("link_apply", values, {"name", "a", "b", "driver", "a_to_b", "b_to_a"})
    if held["driver"] not in ("cable", "none"):
        raise RequestInvalidFault(f"driver {held['driver']!r} is neither cable nor none")
    a, b = decode_end(held["a"]), decode_end(held["b"])
    return LinkRecord(held["name"], a, b, held["driver"], decode_shape(held["a_to_b"]), decode_shape(held["b_to_a"]))
