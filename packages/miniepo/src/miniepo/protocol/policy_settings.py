"""What the settings of a policy may be, category by category: what an agent reads, and a server imports.

What a policy leaves out has its default here, or is the agent's own (None). Keys that are not known are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from miniepo.errors import MessageError
from miniepo.protocol.discovery import ANSWER_WITHIN_SECONDS, MAX_PORT

EVENTS_PER_UPLOAD = 1000
Port = Annotated[int, msgspec.Meta(ge=1, le=MAX_PORT)]
PortOrClosed = Annotated[int, msgspec.Meta(ge=0, le=MAX_PORT)]


class AgentPolicy(msgspec.Struct, rename="camel"):
    """Category `agent`; a wake-up port of 0 is closed."""

    asci_seconds: float | None = None
    enforcement_seconds: float | None = None
    wakeup_port: PortOrClosed | None = None
    event_priority: int = 2
    event_interval_seconds: float = 0.0
    events_per_upload: int = EVENTS_PER_UPLOAD
    only_server_connections: bool = False
    accept_broadcasts: bool = True


class RelayPolicy(msgspec.Struct, rename="camel"):
    """Category `relay`."""

    enabled: bool = False
    port: Port = 8083
    discovery_ports: tuple[Port, ...] = (8082, 8083)
    answer_within_ms: int = round(ANSWER_WITHIN_SECONDS * 1000)
    discover: Literal["needed", "always", "never"] = "needed"
    own_port: bool = False


class SuperAgentPolicy(msgspec.Struct, rename="camel"):
    """Category `superagent`."""

    enabled: bool = False
    repository: bool = True
    folder: str = ""


class UpdatePolicy(msgspec.Struct, rename="camel"):
    """Category `update`."""

    repository_mode: Literal["subnet", "ping", "order"] = "subnet"
    branch: str = "Current"


CategoryPolicy = AgentPolicy | RelayPolicy | SuperAgentPolicy | UpdatePolicy
CATEGORIES: dict[str, type[CategoryPolicy]] = {
    "agent": AgentPolicy,
    "relay": RelayPolicy,
    "superagent": SuperAgentPolicy,
    "update": UpdatePolicy,
}
Kind = TypeVar("Kind", bound=CategoryPolicy)


def read(kind: type[Kind], settings: Mapping[str, Any]) -> Kind:
    """The settings of one policy; raises MessageError for what no agent can follow."""
    try:
        return msgspec.convert(settings, kind, strict=False)
    except msgspec.ValidationError as error:
        raise MessageError(str(error)) from error
