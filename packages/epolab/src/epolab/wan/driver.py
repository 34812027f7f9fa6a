"""The ways to make a link, as a ladder: what each needs of the host and which parts of a shape it honours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Protocol

from epolab.model.link import Link, Shape

Quality = Literal["rate", "delay", "jitter", "loss"]
DriverName = Literal["cable", "none"]

GIGABIT = 1_000_000_000
# Full Ethernet frames as a TAP sees them: header and payload, no checksum.
FULL_FRAME_BYTES = 1514


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What was found by trying on the host that runs the containers."""

    tun: bool
    netem: bool


class Driver(Protocol):
    """One way to make a link."""

    @property
    def name(self) -> DriverName:
        """What LINK documents call it."""

    def works_on(self, host: HostFacts) -> bool:
        """Whether the host has what it needs."""

    def honours(self, shape: Shape) -> frozenset[Quality]:
        """The parts of a shape that it keeps."""


def wanted(shape: Shape) -> frozenset[Quality]:
    """The parts of a shape that are asked for."""
    asked: dict[Quality, bool] = {
        "rate": shape.rate_bps is not None,
        "delay": shape.delay_ms > 0,
        "jitter": shape.jitter_ms > 0,
        "loss": shape.loss_ratio > 0,
    }
    return frozenset(quality for quality, is_asked in asked.items() if is_asked)


@dataclass(frozen=True, slots=True)
class UserspaceCable:
    """A process that carries the frames between two TAPs."""

    name: DriverName = "cable"

    def works_on(self, host: HostFacts) -> bool:
        """It needs TAPs."""
        return host.tun

    def honours(self, shape: Shape) -> frozenset[Quality]:
        """All, up to 1 Gbit/s, a queue of two full frames at least, and a jitter that the delay has room for."""
        missing: set[Quality] = set()
        if shape.rate_bps is not None and not (shape.rate_bps <= GIGABIT and _queue_holds_two(shape)):
            missing.add("rate")
        if shape.jitter_ms > shape.delay_ms / 2:
            missing.add("jitter")
        return wanted(shape) - missing


@dataclass(frozen=True, slots=True)
class PlainVeth:
    """A pair of virtual interfaces at the machine's own speed."""

    name: DriverName = "none"

    def works_on(self, host: HostFacts) -> bool:
        """Everywhere."""
        return True

    def honours(self, shape: Shape) -> frozenset[Quality]:
        """Nothing."""
        return frozenset()


# Best first.
LADDER: tuple[Driver, ...] = (UserspaceCable(), PlainVeth())


def driver_named(name: str) -> Driver:
    """The driver that LINK documents call `name`."""
    return next(driver for driver in LADDER if driver.name == name)


def shortfall(link: Link, driver: Driver) -> tuple[Quality, ...]:
    """What a link asks for and the driver does not keep, in a fixed order."""
    missing = frozenset[Quality]().union(*(wanted(it) - driver.honours(it) for it in (link.a_to_b, link.b_to_a)))
    order: tuple[Quality, ...] = ("rate", "delay", "jitter", "loss")
    return tuple(quality for quality in order if quality in missing)


def as_kept(link: Link, driver: Driver) -> Link:
    """The link without the rates that the driver does not keep: frames take no time on such a line."""
    there, back = (
        it if "rate" in driver.honours(it) else replace(it, rate_bps=None) for it in (link.a_to_b, link.b_to_a)
    )
    return replace(link, a_to_b=there, b_to_a=back)


def _queue_holds_two(shape: Shape) -> bool:
    frames = 2 * FULL_FRAME_BYTES * 8
    return shape.rate_bps is not None and shape.queue_ms / 1000 * shape.rate_bps >= frames
