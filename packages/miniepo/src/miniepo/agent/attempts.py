"""What an agent tried to reach its handlers: which address of which kind, in which round, and what came of it. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from miniepo.protocol.connection_retry import Outcome
from miniepo.protocol.relay_session import Endpoint
from miniepo.protocol.sitelist import join_host_port

Kind = Literal["IP", "FQDN", "NetBIOS"]
_WORDS: dict[Outcome, str] = {"no-error": "connected", "unresolved": "has no address", "untrusted": "not trusted"}


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt at a handler; rounds are counted from 1, `addresses` are those of one kind, tried together."""

    handler: str
    round: int
    addresses: tuple[Endpoint, ...]
    outcome: Outcome

    @property
    def kind(self) -> Kind:
        """By what the handler was tried."""
        return kind_of(self.addresses[0].host)

    @property
    def places(self) -> tuple[str, ...]:
        """Hosts with their ports, as they were tried."""
        return tuple(join_host_port(each.host, each.port) for each in self.addresses)

    @property
    def words(self) -> str:
        """The attempt for people, without its round."""
        return f"{self.kind} {' or '.join(self.places)} {_WORDS.get(self.outcome, self.outcome)}"

    @property
    def row(self) -> dict[str, Any]:
        """The attempt in status.json."""
        places = list(self.places)
        return {
            "handler": self.handler,
            "round": self.round,
            "kind": self.kind,
            "places": places,
            "outcome": self.outcome,
        }


def kind_of(host: str) -> Kind:
    """What a host is written as: an address, a full name, or a bare one."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "FQDN" if "." in host else "NetBIOS"
    return "IP"


def in_words(tried: Sequence[Tried]) -> str:
    """The attempts at one handler in one line; rounds that went alike are told together."""
    rounds = [(number, ", ".join(each.words for each in row)) for number, row in groupby(tried, lambda t: t.round)]
    told = []
    for words, group in groupby(rounds, lambda each: each[1]):
        numbers = [number for number, _ in group]
        which = f"round {numbers[0]}" if len(numbers) == 1 else f"rounds {numbers[0]} to {numbers[-1]}"
        told.append(f"{which}: {words}")
    return "; ".join(told)
