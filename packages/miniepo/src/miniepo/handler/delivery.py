"""Decides how one attempt to call an agent goes on: which of its names next, done, or again later. Pure.

The names are tried in the order of the source, FQDN, NetBIOS, IP, those that the database has; push install knows the
NetBIOS name only (domain §6.1, source S2). A host that answers has been found: its refusal ends the attempt, because
its other names lead to the same host. How often and how far apart attempts are comes from the caller's options; the
defaults are a published client's: one attempt, 30 s apart (domain §6.1).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from miniepo.handler.properties import port_in
from miniepo.protocol.relay_session import Endpoint
from miniepo.protocol.sitelist import join_host_port
from miniepo.store.systems import System


@dataclass(frozen=True, slots=True)
class Call:
    """Command: call the agent there."""

    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Done:
    """Command: record how it ended, `completed` or `failed`."""

    outcome: str
    message: str


@dataclass(frozen=True, slots=True)
class Again:
    """Command: put the job back for another attempt after so many seconds."""

    seconds: float
    message: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """Event: the host took the order."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Event: the host answered, and does not want to."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unreached:
    """Event: the host was not reached by this name."""

    reason: str


Command = Call | Done | Again
Event = Accepted | Refused | Unreached


@dataclass(frozen=True, slots=True)
class Words:
    """How an outcome is told: who (`hq/epo`) did (`woke`) or could not do (`wake`) what, and why perhaps."""

    doer: str
    did: str
    do: str
    system: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """Which attempt this is (from 1), how many there are, and how far apart."""

    attempt: int = 1
    attempts: int = 1
    retry_seconds: float = 30.0


class Delivery:
    """One attempt."""

    def __init__(self, names: tuple[str, ...], port: int, words: Words, patience: Patience) -> None:
        self._left = list(names)
        self._port = port
        self._words = words
        self._patience = patience
        self._tried: list[str] = []
        self._at: Endpoint | None = None

    def start(self) -> Command:
        """The first command."""
        return self._next()

    def receive(self, event: Event) -> Command:
        """What follows from what the last call met."""
        match event:
            case Accepted():
                assert self._at is not None, "nobody was called"
                place = join_host_port(self._at.host, self._at.port)
                return Done("completed", f"{self._words.doer} {self._words.did} {self._words.system} at {place}")
            case Refused(reason):
                self._tried.append(reason)
                return self._failed()
            case Unreached(reason):
                self._tried.append(reason)
                return self._next()

    def _next(self) -> Command:
        if not self._left:
            return self._failed()
        self._at = Endpoint(self._left.pop(0), self._port)
        return Call(self._at)

    def _failed(self) -> Command:
        words = self._words
        why = "; ".join(self._tried) or "no address"
        message = f"{words.doer} could not {words.do} {words.system}: {why}{words.hint}"
        if self._patience.attempt < self._patience.attempts:
            return Again(self._patience.retry_seconds, message)
        return Done("failed", message)


def names_of(system: System) -> tuple[str, ...]:
    """The names to try, in the order of the source (domain §6.1): FQDN, NetBIOS, IP; those that the database has."""
    names = dict.fromkeys((system.fqdn, system.computer_name, system.address))
    return tuple(name for name in names if name)


def wakeup_port(system: System) -> int:
    """The agent's wake-up port as it reports it, else 8081."""
    return port_in(system.properties.get("WakeupPort", ""))


def hint_of(system: System) -> str:
    """Why a call from the server cannot reach an agent, where that is known: it is behind a relay or behind NAT.

    Server-initiated actions do not reach agents behind a relay; they are reached at their own ASCI (domain §5, S1).
    """
    if system.via_relay:
        return f" (it last called in through relay {system.via_relay}; it will be reached at its own ASCI)"
    if system.guid and is_translated(system):
        return (
            f" (it last called in from {system.remote_address}, not from its own address {system.address}: "
            "behind address translation it will be reached at its own ASCI)"
        )
    return ""


def is_translated(system: System) -> bool:
    """Whether an agent's call came from another address than those that it reports."""
    came, own, own_v6 = (_address(text) for text in (system.remote_address, system.address, system.ipv6))
    if came is None or came.is_loopback:
        return False
    return came not in (own, own_v6) if came.version == 4 else own_v6 is not None and came != own_v6


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
