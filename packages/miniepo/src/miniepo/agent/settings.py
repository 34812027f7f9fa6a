"""What the policies in force mean for the agent, as typed values with the defaults of an agent without policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from miniepo.agent.routes import DiscoveryMode
from miniepo.config import AgentConfig
from miniepo.errors import MessageError
from miniepo.protocol import policy_settings
from miniepo.protocol.discovery import ANSWER_WITHIN_SECONDS
from miniepo.protocol.messages import PolicySet
from miniepo.protocol.policy_settings import EVENTS_PER_UPLOAD, Kind
from miniepo.protocol.version import Behaviour, scaled

MAX_EVENTS_PER_UPLOAD = 10_000


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Category `relay`: whether the node forwards for others, on which ports, and within which time it answers a
    discovery; `discover` is when an agent itself looks for relays (`routes.discovers`): never before 4.8 (S1).

    `shared` says that `port` is the wake-up port: agents of 5.x take relay connections there, unless the policy says
    `ownPort` (TrellixPorts; [uncertain] whether `port` of a policy counts in 5.x)."""

    enabled: bool = False
    port: int = 8083
    discovery_ports: tuple[int, ...] = (8082, 8083)
    answer_within_seconds: float = ANSWER_WITHIN_SECONDS
    discover: DiscoveryMode = "needed"
    shared: bool = False


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
    """Everything the policies say to this agent. Times in seconds; the wake-up port is 0 when it is closed.

    Events of severity `event_priority` or graver are sent at once; how far apart such uploads are and how many events
    one takes is [uncertain] (domain §4 names five minutes), so without a policy they follow each other at once.
    """

    asci_seconds: float
    wakeup_port: int
    enforcement_seconds: float = 300.0
    event_priority: int = 2
    event_interval_seconds: float = 0.0
    events_per_upload: int = EVENTS_PER_UPLOAD
    connection_per_package: bool = False
    only_server_connections: bool = False
    accept_broadcasts: bool = True
    relay: RelaySettings = field(default_factory=RelaySettings)
    superagent: SuperAgentSettings = field(default_factory=SuperAgentSettings)
    update: UpdateSettings = field(default_factory=UpdateSettings)
    problems: tuple[str, ...] = ()


def resolve(policies: PolicySet, config: AgentConfig) -> Settings:
    """The settings that a set of policies amounts to; a category that cannot be understood keeps its defaults and is
    named in `problems`, so that one bad policy does not stop the others."""
    values = {policy.category: policy.settings for policy in policies.policies}
    problems: list[str] = []
    agent = _read(values, "agent", policy_settings.AgentPolicy, problems)
    relay = _read(values, "relay", policy_settings.RelayPolicy, problems)
    superagent = _read(values, "superagent", policy_settings.SuperAgentPolicy, problems)
    update = _read(values, "update", policy_settings.UpdatePolicy, problems)
    wakeup_port = agent.wakeup_port if agent.wakeup_port is not None else config.wakeup_port
    return Settings(
        asci_seconds=max(1.0, agent.asci_seconds if agent.asci_seconds is not None else config.asci_seconds),
        wakeup_port=wakeup_port,
        enforcement_seconds=max(1.0, _enforcement_seconds(agent, config)),
        event_priority=agent.event_priority,
        event_interval_seconds=agent.event_interval_seconds,
        events_per_upload=max(1, min(agent.events_per_upload, MAX_EVENTS_PER_UPLOAD)),
        connection_per_package=config.connection_per_package and not Behaviour.of(config.version).persistent_connection,
        only_server_connections=agent.only_server_connections,
        accept_broadcasts=agent.accept_broadcasts,
        relay=_relay(relay, config.version, wakeup_port),
        superagent=SuperAgentSettings(
            superagent.enabled, superagent.enabled and superagent.repository, superagent.folder or config.repository
        ),
        update=UpdateSettings(update.repository_mode, update.branch),
        problems=tuple(problems),
    )


def first_call_seconds(config: AgentConfig) -> float:
    """Within which time after its start the agent calls in first: as configured, else by its version, scaled."""
    if config.first_call_within_seconds is not None:
        return config.first_call_within_seconds
    return scaled(Behaviour.of(config.version).first_call_seconds, config.asci_seconds)


def _relay(relay: policy_settings.RelayPolicy, version: str, wakeup_port: int) -> RelaySettings:
    within = max(0, relay.answer_within_ms) / 1000
    shared = Behaviour.of(version).relay_on_wakeup_port and not relay.own_port and wakeup_port != 0
    port = wakeup_port if shared else relay.port
    discover: DiscoveryMode = relay.discover if Behaviour.of(version).relay else "never"
    return RelaySettings(relay.enabled, port, relay.discovery_ports, within, discover, shared)


def _enforcement_seconds(agent: policy_settings.AgentPolicy, config: AgentConfig) -> float:
    """As policy says, else as configured, else by the agent's version, scaled."""
    given = agent.enforcement_seconds if agent.enforcement_seconds is not None else config.enforcement_seconds
    return given if given is not None else scaled(Behaviour.of(config.version).enforcement_seconds, config.asci_seconds)


def _read(values: Mapping[str, dict[str, Any]], category: str, kind: type[Kind], problems: list[str]) -> Kind:
    try:
        return policy_settings.read(kind, values.get(category, {}))
    except MessageError as error:
        problems.append(f"policy of category {category}: {error}")
        return kind()
