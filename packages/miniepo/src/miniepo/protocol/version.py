"""What an agent of a version does where the sources tell versions apart, and the ePO version that the lab presents.

Every difference stands here once, each with its source (docs/communication.md lists the sources). A published value
holds until a later version's is published: 4.5 and 4.6 call in first as 4.0 does, which no source confirms
[uncertain]. A table row is data: to have it otherwise, give `Behaviour` other values, or the agent its own in its
configuration (`first_call_within_seconds`, `enforcement_seconds`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

EPO_VERSION = "5.9.1"
FIELD_ASCI_SECONDS = 3600.0
"""The ASCI outside a lab (domain §4): a lab whose ASCI is shorter runs its clockwork that much faster."""

AGENT_BROADCAST_PORT = 8082
OLD_DISCOVERY_PORT = 8083
WITHOUT_RELAY = frozenset({"aix"})
"""Platforms whose agents cannot be relays, as words in lower case (domain §5, source S1)."""

Version = tuple[int, ...]


def parse(text: str) -> Version:
    """The numbers of a version, as far as they are numbers: `5.9.1` → (5, 9, 1), "" → ()."""
    numbers: list[int] = []
    for part in text.strip().split("."):
        if not (part.isascii() and part.isdigit()):
            break
        numbers.append(int(part[:9]))
    return tuple(numbers)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How an agent of one version behaves. Times in seconds of the field, see `scaled`."""

    first_call_seconds: float
    """The first call comes at a random moment within so long after the agent's start (4.0: EPO40 p66; 4.8: MA48 p65;
    5.x: Trellix ASC)."""

    enforcement_seconds: float
    """Interval of policy enforcement without a policy about it (4.x: BestPractices p59; 5.x: [uncertain])."""

    server_connections: Literal["first-handler", "listed-handlers"]
    """Whose calls on the wake-up port it answers: before 4.5 only the first handler's of its SiteList.xml (S2)."""

    datachannel: bool
    """It has a DataChannel: since 4.5 (S2; another source says 4.6, domain §11)."""

    run_now: bool
    """Tasks can be run on it at once: since 4.6 (S2)."""

    relay: bool
    """It can be a relay, and looks for relays: since 4.8 (S1); see `can_relay` for the platform."""

    discovery_port: int
    """UDP port on which it asks for relays: 8082 in 5.x, 8083 before (TrellixPorts)."""

    relay_on_wakeup_port: bool
    """As a relay it takes connections on its wake-up port, 8081: 5.x (TrellixPorts); before, on a port of its own."""

    policy_manifest: bool
    """Only settings that changed travel, told by a manifest: 5.x (Trellix KeyFeatures)."""

    persistent_connection: bool
    """A whole agent-server communication takes one TCP connection: 5.x (Trellix KeyFeatures)."""

    @classmethod
    def of(cls, version: str) -> Behaviour:
        """The behaviour of an agent of this version; one that tells no version is taken for the oldest."""
        number = parse(version)
        newest = number >= (5,)
        return cls(
            first_call_seconds=45.0 if newest else 6.0 if number >= (4, 8) else 600.0,
            enforcement_seconds=3600.0 if newest else 300.0,
            server_connections="listed-handlers" if number >= (4, 5) else "first-handler",
            datachannel=number >= (4, 5),
            run_now=number >= (4, 6),
            relay=number >= (4, 8),
            discovery_port=AGENT_BROADCAST_PORT if newest else OLD_DISCOVERY_PORT,
            relay_on_wakeup_port=newest,
            policy_manifest=newest,
            persistent_connection=newest,
        )

    def can_relay(self, platform: str) -> bool:
        """Whether such an agent can be a relay on this platform: 4.8 or later, and not on AIX, of any version (S1)."""
        return self.relay and WITHOUT_RELAY.isdisjoint(re.findall(r"[a-z]+", platform.lower()))


def scaled(field_seconds: float, asci_seconds: float) -> float:
    """A time of the field in a lab whose ASCI is `asci_seconds` instead of an hour; never longer than in the field."""
    return field_seconds * min(1.0, asci_seconds / FIELD_ASCI_SECONDS)


def starts_datachannel(epo_version: str) -> bool:
    """Whether agents start their DataChannel with a handler of this ePO version: 4.5.0 or later (domain §2.1, S2)."""
    return parse(epo_version) >= (4, 5)
