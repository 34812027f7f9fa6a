"""Which driver makes a link on a host, what it falls short of, and whether the topology accepts that."""

from __future__ import annotations

from dataclasses import dataclass

from epolab.model.link import Link
from epolab.wan.driver import LADDER, Driver, DriverName, HostFacts, PlainVeth, Quality, shortfall


@dataclass(frozen=True, slots=True)
class Choice:
    """The best driver for a link; `refused` is what the host cannot keep and the topology does not accept."""

    link: str
    driver: DriverName
    degraded: tuple[Quality, ...]
    refused: tuple[Quality, ...]

    @property
    def possible(self) -> bool:
        """Whether the link may be made at all."""
        return not self.refused

    @property
    def reason(self) -> str:
        """Why the link is refused, for people."""
        return f"link {self.link}: this host cannot keep its {', '.join(self.refused)}" if self.refused else ""


def choose(link: Link, host: HostFacts) -> Choice:
    """The driver that falls least short; a link without shape is a plain one."""
    driver: Driver = PlainVeth()
    if link.shaped:
        usable = [candidate for candidate in LADDER if candidate.works_on(host)]
        driver = min(usable, key=lambda candidate: len(shortfall(link, candidate)))
    missing = shortfall(link, driver)
    refused = tuple(quality for quality in missing if quality not in link.accept)
    return Choice(link.name, driver.name, tuple(quality for quality in missing if quality in link.accept), refused)
