"""What the host's own network looks like: links, addresses, routes, firewall rules, without what moves by itself."""

from __future__ import annotations

import json
import re
import shutil
from typing import Any

from epolab.hands.run import run, run_checked

Snapshot = dict[str, list[str]]

_IP_QUERIES = {
    "links": ("link", "show"),
    "addresses": ("address", "show"),
    "routes": ("-4", "route", "show", "table", "all"),
    "routes6": ("-6", "route", "show", "table", "all"),
    "rules": ("-4", "rule", "show"),
    "rules6": ("-6", "rule", "show"),
}
_FIREWALL_QUERIES = {
    "iptables": ("iptables-save",),
    "ip6tables": ("ip6tables-save",),
    "nftables": ("nft", "-s", "list", "ruleset"),
}
# lifetimes, counters and states change without anybody's doing
_MOVING = {"valid_life_time", "preferred_life_time", "expires", "operstate", "flags", "stats64", "metrics", "txqlen"}


def snapshot() -> Snapshot:
    """Every link, address, route, policy rule and firewall rule of the host, a line of text each.

    Firewall tools that are not installed on the host are left out: the kernel then holds no rules of theirs that
    anybody here could have made.
    """
    seen = {name: _ip(words) for name, words in _IP_QUERIES.items()}
    for name, argv in _FIREWALL_QUERIES.items():
        if shutil.which(argv[0]):
            seen[name] = rules_of(run(argv, limit_seconds=20).text)
    return seen


def _ip(words: tuple[str, ...]) -> list[str]:
    records = json.loads(run_checked(["ip", "-json", *words], limit_seconds=20).text or "[]")
    return sorted(json.dumps(steady(record), sort_keys=True) for record in records if record)


def steady(value: Any) -> Any:
    """A record of `ip -json` without what moves by itself."""
    if isinstance(value, dict):
        return {key: steady(item) for key, item in value.items() if key not in _MOVING}
    if isinstance(value, list):
        return [steady(item) for item in value]
    return value


def rules_of(text: str) -> list[str]:
    """The rules of a firewall listing, without comments and counters."""
    lines = (re.sub(r"\[\d+:\d+\]", "", line).rstrip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def differences(before: Snapshot, now: Snapshot) -> list[str]:
    """What came and what went, in words; a query that only one of the snapshots could make is not compared."""
    told = []
    for name in before.keys() & now.keys():
        told += [f"{name}: new {line}" for line in now[name] if line not in before[name]]
        told += [f"{name}: gone {line}" for line in before[name] if line not in now[name]]
    return sorted(told)
