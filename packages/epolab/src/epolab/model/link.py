"""What one WAN link is: the two sites it joins and the shape of each direction."""

from dataclasses import dataclass

DEFAULT_QUEUE_MS = 200.0


@dataclass(frozen=True, slots=True)
class Shape:
    """One direction of a link; `rate_bps` None is unshaped, the delay is one way."""

    rate_bps: int | None = None
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss_ratio: float = 0.0
    queue_ms: float = DEFAULT_QUEUE_MS

    @property
    def shaped(self) -> bool:
        """Whether anything but LAN speed is asked for."""
        return self.rate_bps is not None or self.delay_ms > 0 or self.jitter_ms > 0 or self.loss_ratio > 0


@dataclass(frozen=True, slots=True)
class Link:
    """A link between the routers of two sites; `a` and `b` are site names."""

    name: str
    a: str
    b: str
    a_to_b: Shape
    b_to_a: Shape
    accept: tuple[str, ...]

    @property
    def shaped(self) -> bool:
        """Whether either direction is shaped; an unshaped link is a LAN-speed cable."""
        return self.a_to_b.shaped or self.b_to_a.shaped

    @property
    def ends(self) -> tuple[str, str]:
        """Both site names, in the order of the file."""
        return (self.a, self.b)

    def peer(self, site: str) -> str:
        """The site at the other end."""
        return self.b if site == self.a else self.a

    def joins(self, site: str) -> bool:
        """Whether the link ends at a site."""
        return site in (self.a, self.b)
