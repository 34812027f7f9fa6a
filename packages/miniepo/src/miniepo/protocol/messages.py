"""What an agent and a handler can say to each other, as tagged records.

A session has the order PROPS VERSION → REQUEST PROPS → (INC) PROPS → POLICY package, as a 4.6 agent was recorded
(domain §4, fixture AgentLog). Every message travels in a signed envelope (`miniepo.protocol.signing`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from miniepo.protocol.datachannel import ChannelExchange, ChannelItems, ChannelWaiting

MOST_PROPERTIES = 500
LONGEST_PROPERTY = 1024
LONGEST_PROPERTIES = 256 * 1024
"""So much an agent may report: properties, characters of a name or a value, characters of all of them together."""

_Word = Annotated[str, msgspec.Meta(max_length=255)]
"""A name, a version or an identifier, which a handler keeps; a longer one makes the message none."""


class _Message(msgspec.Struct, frozen=True, tag_field="message", kw_only=True):
    """A record of the protocol; unknown fields are ignored so that a newer peer may add some."""


# --- agent → handler -------------------------------------------------------------------------------------------------


class Enrol(_Message, frozen=True, tag="enrol"):
    """A new agent's GUID and ed25519 public key (base64), with the proof that it knows the enrolment key.

    `proof` = `signing.enrolment_proof(...)`. The envelope is signed by the key that the message carries.
    """

    guid: _Word
    public_key: _Word
    computer_name: _Word
    fqdn: _Word
    version: _Word
    platform: _Word
    proof: str


class PropsVersion(_Message, frozen=True, tag="props-version"):
    """An agent-server communication begins: what the agent holds, as version strings ("" = nothing yet).

    `policy_version` is the version that is *enforced*. `via_relay` is the computer name of the relay in use, if any.
    `computer_name`, `net_address` (of the first network card) and `sequence`, which counts the agent's communications
    under this GUID, let a handler see that a GUID is on two machines.
    """

    guid: _Word
    version: _Word
    props_version: _Word
    policy_version: _Word = ""
    tasks_version: _Word = ""
    sitelist_version: _Word = ""
    reason: Literal["asci", "start", "wakeup", "manual", "event"] = "asci"
    wakeup_id: _Word | None = None
    via_relay: str | None = None
    computer_name: _Word = ""
    net_address: _Word = ""
    sequence: int = 0


class Props(_Message, frozen=True, tag="props"):
    """Properties, all of them (`full`) or the changed ones (`incremental`, may be empty).

    `policy_manifest` says which policies the agent has, for a handler to send the others alone (5.x).
    Keys are column names of EPOComputerProperties (domain §7.5) or dotted product properties
    (`Relay.Enabled`, `Relay.Port`, `SuperAgent.Enabled`, `SuperAgent.Repository`, `SuperAgent.Port`,
    `Product.<ProductID>.Version`); all values are text, switches are "1" and "0". What a handler knows of an agent has
    bounds (`MOST_PROPERTIES`, `LONGEST_PROPERTY`, `LONGEST_PROPERTIES`): properties beyond them are a `bad-message`.
    """

    guid: _Word
    kind: Literal["full", "incremental"]
    props_version: _Word
    values: dict[str, str]
    policy_version: _Word = ""
    tasks_version: _Word = ""
    sitelist_version: _Word = ""
    wakeup_id: _Word | None = None
    policy_manifest: dict[str, str] | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened on an agent.

    `key` is unique for ever on that agent: the handler stores an event once however often it is delivered. `kind`
    decides the table: `threat` → EPOEvents, `product` → EPOProductEvents (domain §6.6, §7.7). `fields` are column
    names of that table. `severity` 0 (emergency) … 7 (debug).
    """

    key: str
    kind: Literal["threat", "product"]
    event_id: int
    severity: int
    detected: float
    text: str = ""
    fields: dict[str, str] = {}


class Events(_Message, frozen=True, tag="events"):
    """A spool of events; acknowledged by `EventsAccepted` with the same keys, deleted by the agent only then."""

    guid: str
    events: tuple[Event, ...]


class TaskStatus(_Message, frozen=True, tag="task-status"):
    """How a client task's run goes on; acknowledged by `Acknowledged`."""

    guid: str
    task_id: str
    run_id: str
    status: Literal["started", "progress", "succeeded", "failed"]
    text: str = ""
    at: float = 0


class Enforced(_Message, frozen=True, tag="enforced"):
    """Sent right after a changed package was enforced: the versions now in force and the properties that changed by it.

    Acknowledged by `Acknowledged`. Without it the server would learn of a new role one ASCI later.
    """

    guid: _Word
    policy_version: _Word
    tasks_version: _Word
    sitelist_version: _Word
    props_version: _Word
    values: dict[str, str] = {}
    problems: tuple[str, ...] = ()


# --- handler → agent -------------------------------------------------------------------------------------------------


class Enrolled(_Message, frozen=True, tag="enrolled"):
    """The server knows the agent's key from now on; `guid` is its identity (it may differ from the one proposed)."""

    guid: str


class RequestProps(_Message, frozen=True, tag="request-props"):
    """Which properties the handler wants next.

    `known_version` is the props version that the handler holds: an agent whose last acknowledged properties have
    another version sends all of them even if asked for the changes.
    """

    kind: Literal["full", "incremental"]
    known_version: str = ""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The policy in effect for one category (`agent`, `superagent`, `relay`, `update`)."""

    category: str
    name: str
    settings: dict[str, Any]


class PolicySet(msgspec.Struct, frozen=True, kw_only=True):
    """Every policy in effect for one agent; with a manifest, only those that the agent lacks (`protocol.manifest`)."""

    version: str
    policies: tuple[Policy, ...]
    manifest: dict[str, str] | None = None


class ClientTask(msgspec.Struct, frozen=True, kw_only=True):
    """A client task: `schedule` is `{"every_seconds": float}`, `type` and `settings` as in `task_settings.KINDS`."""

    id: str
    name: str
    type: str
    schedule: dict[str, Any] = {}
    settings: dict[str, Any] = {}


class TaskSet(msgspec.Struct, frozen=True, kw_only=True):
    """Every client task assigned to one agent."""

    version: str
    tasks: tuple[ClientTask, ...]


class SiteListFile(msgspec.Struct, frozen=True, kw_only=True):
    """A SiteList.xml to replace the agent's (`miniepo.protocol.sitelist` reads `xml`)."""

    version: str
    xml: str


class Package(_Message, frozen=True, tag="package"):
    """The POLICY package: each part only if its version differs from what the agent reported, else null.

    `channel_waits` false spares the agent a look at the DataChannel: nothing waits for it there.
    """

    policies: PolicySet | None = None
    tasks: TaskSet | None = None
    sitelist: SiteListFile | None = None
    channel_waits: bool | None = None


class EventsAccepted(_Message, frozen=True, tag="events-accepted"):
    """The events with these keys are in the database."""

    keys: tuple[str, ...]


class Acknowledged(_Message, frozen=True, tag="acknowledged"):
    """The message was stored; there is nothing else to say."""


class Refused(_Message, frozen=True, tag="refused"):
    """The handler will not do it. Codes: `unknown-agent` (enrol again), `regenerate-guid` (the GUID belongs to another
    key or machine, or a new one was asked for: make a new GUID and enrol again, domain §4), `foreign-machine`
    (the client's certificate is not that of the machine that enrols, or whose names are reported), `bad-proof`,
    `bad-signature`, `stale`, `replayed`, `bad-message`."""

    code: str
    text: str


class Wakeup(_Message, frozen=True, tag="wakeup"):
    """Handler → agent on the wake-up port: call in now (spread over `random_seconds`). No content (domain §6.1)."""

    guid: str
    wakeup_id: str
    full_props: bool = False
    random_seconds: float = 0


FromAgent = Enrol | PropsVersion | Props | Events | TaskStatus | Enforced | ChannelExchange
ToAgent = (
    Enrolled | RequestProps | Package | EventsAccepted | Acknowledged | Refused | Wakeup | ChannelItems | ChannelWaiting
)
