"""What the agents of a swarm are called: the node's name, a hyphen, its number; 15 characters at most (§7.5)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from miniepo.config import AgentConfig
from miniepo.errors import ConfigError

LONGEST = 15
FIRST_CALLS_PER_SECOND = 50.0
MOST = 20_000


def member_name(node: str, number: int) -> str:
    """The name of the agent of a number from 1 on, the number with four digits at least."""
    return f"{node}-{number:04d}"


def member_configs(config: AgentConfig, count: int) -> Iterator[AgentConfig]:
    """The configuration of each agent, from that of the node: names in the node's domain, everything else the same.

    The addresses that they report are the node's; their names need be known to no DNS, for a handler that looks for
    an agent by its names in vain goes on to its address (domain §6.1).
    """
    if not 1 <= count <= MOST:
        raise ConfigError(f"a swarm has 1 to {MOST} agents, not {count}")
    if len(member_name(config.computer_name, count)) > LONGEST:
        raise ConfigError(f"{member_name(config.computer_name, count)} has more than {LONGEST} characters")
    for number in range(1, count + 1):
        name = member_name(config.computer_name, number)
        _, dot, domain = config.fqdn.partition(".")
        yield msgspec.structs.replace(config, computer_name=name, fqdn=f"{name}{dot}{domain}")


def spread_seconds(first_call_seconds: float, asci_seconds: float, count: int) -> float:
    """From how many of the first seconds the first calls are drawn: a crowd takes its time, an ASCI at most."""
    return max(first_call_seconds, min(asci_seconds, count / FIRST_CALLS_PER_SECOND))
