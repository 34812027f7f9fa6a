"""Reading a chain of iptables or ip6tables: which exceptions stand in it, and whether before the final drop."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Literal

from epolab.model.firewall import FirewallException


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of `iptables -S CHAIN`, as far as an exception is concerned; ports are inclusive ranges."""

    protocol: str | None
    source: str | None
    ports: tuple[tuple[int, int], ...]
    port_of: Literal["destination", "source"]
    target: str
    limited: bool
    text: str


_TAKES_VALUE = {
    "-p": "protocol",
    "-s": "source",
    "--dport": "dport",
    "--dports": "dport",
    "--sport": "sport",
    "--sports": "sport",
    "-j": "target",
}
_SAYS_NOTHING = {"-m", "--comment", "--reject-with"}
_NARROWS = {
    "-i",
    "-d",
    "--ctstate",
    "--icmp-type",
    "--icmpv6-type",
    "--uid-owner",
    "--pkt-type",
    "--dst-type",
    "--state",
}


def parse(line: str) -> Rule | None:
    """A rule from one `-A CHAIN …` line; None for the other lines of the listing."""
    words = shlex.split(line)
    if not words or words[0] != "-A":
        return None
    found: dict[str, str] = {}
    limited = False
    for word, value in zip(words[2:], [*words[3:], ""], strict=True):
        if word in _TAKES_VALUE:
            found[_TAKES_VALUE[word]] = value
        limited |= word in _NARROWS or word == "!"
    ports = found.get("dport") or found.get("sport") or ""
    return Rule(
        protocol=found.get("protocol"),
        source=found.get("source"),
        ports=tuple(_port_range(part) for part in ports.split(",") if part),
        port_of="destination" if "dport" in found or "sport" not in found else "source",
        target=found.get("target", ""),
        limited=limited,
        text=line,
    )


def _port_range(text: str) -> tuple[int, int]:
    first, _, last = text.partition(":")
    return int(first), int(last or first)


def rules_of(listing: str) -> tuple[Rule, ...]:
    """The rules of a listing, in order."""
    return tuple(rule for rule in map(parse, listing.splitlines()) if rule is not None)


def final_drop(listing: str) -> int | None:
    """Index of the first rule that drops all; the end when only the chain's policy does; None if nothing does."""
    rules = rules_of(listing)
    for index, rule in enumerate(rules):
        catches_all = not (rule.protocol or rule.source or rule.ports or rule.limited)
        if catches_all and rule.target in {"DROP", "REJECT"}:
            return index
    policies = [line.split() for line in listing.splitlines() if line.startswith("-P ")]
    return len(rules) if any(words[-1] == "DROP" for words in policies) else None


def lets_in(rule: Rule, exception: FirewallException, source: str) -> bool:
    """Whether a rule accepts what an exception asks for, from one source (CIDR text)."""
    return (
        rule.target == "ACCEPT"
        and not _narrower_than(rule)
        and rule.protocol in (None, exception.protocol)
        and (not rule.ports or _port_matches(rule, exception))
        and (rule.source is None or ip_network(source).subnet_of(ip_network(rule.source)))  # type: ignore[arg-type]
    )


def _port_matches(rule: Rule, exception: FirewallException) -> bool:
    inside = any(first <= exception.port <= last for first, last in rule.ports)
    return rule.port_of == "destination" and inside


def _narrower_than(rule: Rule) -> bool:
    """Whether the rule has a match that new packets of an exception may not meet."""
    words = shlex.split(rule.text)
    narrowing = [word for word in words if word in _NARROWS or word == "!"]
    states = [words[i + 1] for i, word in enumerate(words) if word in {"--ctstate", "--state"}]
    return any(word not in {"--ctstate", "--state"} for word in narrowing) or any(
        "NEW" not in s.split(",") for s in states
    )


def missing(
    listing: str, exceptions: Iterable[FirewallException], family: Literal[4, 6]
) -> list[tuple[FirewallException, str, str]]:
    """Exceptions that do not stand, as (exception, source, what was seen instead)."""
    rules = rules_of(listing)
    end = final_drop(listing)
    found = []
    for exception in exceptions:
        for source in exception.sources_v4 if family == 4 else exception.sources_v6:
            seen = _seen(rules, len(rules) if end is None else end, exception, source)
            if seen:
                found.append((exception, source, seen))
    return found


def _seen(rules: Sequence[Rule], end: int, exception: FirewallException, source: str) -> str:
    at = [index for index, rule in enumerate(rules) if lets_in(rule, exception, source)]
    if any(index < end for index in at):
        return ""
    if at:
        return f"the rule is number {at[0] + 1}, behind the final drop at number {end + 1}: {rules[at[0]].text}"
    return f"none of the {len(rules)} rules lets it in"
