"""What the policies in force mean for the agent, as typed values with the defaults of an agent without policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from miniepo.config import AgentConfig
from miniepo.protocol.messages import PolicySet

ENFORCEMENT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Category `relay`: whether the node forwards for others, and on which ports."""

    enabled: bool = False
    port: int = 8083
    discovery_ports: tuple[int, ...] = (8082, 8083)


@dataclass(frozen=True, slots=True)
class SuperAgentSettings:
    """Category `superagent`: whether the agent is a SuperAgent, serves a repository, and from which directory."""

    enabled: bool = False
    repository: bool = False
    folder: str = ""


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """Category `update`: how a repository is chosen (domain §3.7) and from which branch packages come (§3.2)."""

    mode: Literal["subnet", "ping", "order"] = "subnet"
    branch: str = "Current"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the policies say to this agent. Times in seconds; the wake-up port is 0 when it is closed."""

    asci_seconds: float
    wakeup_port: int
    enforcement_seconds: float = ENFORCEMENT_SECONDS
    event_priority: int = 2
    only_server_connections: bool = False
    relay: RelaySettings = field(default_factory=RelaySettings)
    superagent: SuperAgentSettings = field(default_factory=SuperAgentSettings)
    update: UpdateSettings = field(default_factory=UpdateSettings)
    problems: tuple[str, ...] = ()


class _Agent(msgspec.Struct, rename="camel"):
    asci_seconds: float | None = None
    enforcement_seconds: float = ENFORCEMENT_SECONDS
    wakeup_port: int | None = None
    event_priority: int = 2
    only_server_connections: bool = False


class _Relay(msgspec.Struct, rename="camel"):
    enabled: bool = False
    port: int = 8083
    discovery_ports: tuple[int, ...] = (8082, 8083)


class _SuperAgent(msgspec.Struct, rename="camel"):
    enabled: bool = False
    repository: bool = True
    folder: str = ""


class _Update(msgspec.Struct, rename="camel"):
    repository_mode: Literal["subnet", "ping", "order"] = "subnet"
    branch: str = "Current"


def resolve(policies: PolicySet, config: AgentConfig) -> Settings:
    """The settings that a set of policies amounts to; a category that cannot be understood keeps its defaults and is
    named in `problems`, so that one bad policy does not stop the others."""
    values = {policy.category: policy.settings for policy in policies.policies}
    problems: list[str] = []
    agent = _read(values, "agent", _Agent, problems)
    relay = _read(values, "relay", _Relay, problems)
    superagent = _read(values, "superagent", _SuperAgent, problems)
    update = _read(values, "update", _Update, problems)
    return Settings(
        asci_seconds=max(1.0, agent.asci_seconds if agent.asci_seconds is not None else config.asci_seconds),
        wakeup_port=agent.wakeup_port if agent.wakeup_port is not None else config.wakeup_port,
        enforcement_seconds=max(1.0, agent.enforcement_seconds),
        event_priority=agent.event_priority,
        only_server_connections=agent.only_server_connections,
        relay=RelaySettings(relay.enabled, relay.port, relay.discovery_ports),
        superagent=SuperAgentSettings(
            superagent.enabled, superagent.enabled and superagent.repository, superagent.folder or config.repository
        ),
        update=UpdateSettings(update.repository_mode, update.branch),
        problems=tuple(problems),
    )


def _read(values: Mapping[str, dict[str, Any]], category: str, kind: Any, problems: list[str]) -> Any:
    try:
        return msgspec.convert(values.get(category, {}), kind, strict=False)
    except msgspec.ValidationError as error:
        problems.append(f"policy of category {category}: {error}")
        return kind()
