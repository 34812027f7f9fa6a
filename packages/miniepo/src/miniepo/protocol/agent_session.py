"""One agent-server communication from the agent's side: which message comes next, and what to do with each answer.

PROPS VERSION → REQUEST PROPS → PROPS → POLICY package → enforcement → events (domain §4, the recorded session of a 4.6
agent). Events of priority travel alone, before the next ASCI. A handler that does not know the agent makes it enrol;
one that says `regenerate-guid` makes it take a new identity first (domain §4, connection retry). Events in, commands
out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from miniepo.errors import MessageError
from miniepo.protocol import signing
from miniepo.protocol.codec import version_of
from miniepo.protocol.filling import first_that_fit
from miniepo.protocol.messages import (
    Acknowledged,
    Enforced,
    Enrol,
    Enrolled,
    Event,
    Events,
    EventsAccepted,
    FromAgent,
    Package,
    Props,
    PropsVersion,
    Refused,
    RequestProps,
    TaskStatus,
    ToAgent,
)

Reason = Literal["asci", "start", "wakeup", "manual", "event"]
EVENTS_PER_MESSAGE = 100
EVENT_BYTES_PER_MESSAGE = 256 * 1024
"""Far below what a handler takes: a line of a branch must carry a message before anybody loses patience."""
MAX_EVENT_BYTES = 64 * 1024
_ENROL_AGAIN = frozenset({"unknown-agent", "regenerate-guid"})


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the agent is, and what lets it enrol; `sequence` is the number of this communication."""

    guid: str
    public_key: str
    computer_name: str
    fqdn: str
    version: str
    platform: str
    enrolment_key: str = field(repr=False)
    enrolled: bool
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of what is in force on the agent ("" = nothing yet); the manifest of its policies if it has one."""

    policy: str = ""
    tasks: str = ""
    sitelist: str = ""
    manifest: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why this communication takes place, by which way, and at which moment the next one is due (monotonic seconds).

    With `anew` the agent has first forgotten which ways it took, as if it had never called in.
    """

    reason: Reason
    wakeup_id: str | None = None
    via_relay: str | None = None
    full_props: bool = False
    anew: bool = False
    next_asci: float = math.inf


@dataclass(frozen=True, slots=True)
class Outbox:
    """What waits for delivery: events from the spool, oldest first, and how tasks went."""

    events: tuple[Event, ...] = ()
    statuses: tuple[TaskStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class EnforcementDone:
    """The package was stored and enforced: the versions in force, all properties, and what could not be enforced."""

    versions: Versions
    properties: Mapping[str, str]
    problems: tuple[str, ...] = ()


# --- commands --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Send:
    """Send this message; its answer is the next event."""

    message: FromAgent


@dataclass(frozen=True, slots=True)
class TakeIdentity:
    """The server knows the agent by this GUID from now on."""

    guid: str


@dataclass(frozen=True, slots=True)
class MakeIdentity:
    """Make a new GUID and key pair, then begin again."""


@dataclass(frozen=True, slots=True)
class RememberProperties:
    """The handler has stored these properties: the next incremental ones count from here."""

    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Enforce:
    """Store what is in the package and enforce it; `EnforcementDone` is the next event."""

    package: Package


@dataclass(frozen=True, slots=True)
class ForgetEvents:
    """The server has these events: delete them from the spool."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForgetStatus:
    """The server has this task status."""

    status: TaskStatus


@dataclass(frozen=True, slots=True)
class Finish:
    """The communication is complete; without `error`, everything was delivered and enforced."""

    error: str = ""


Command = Send | TakeIdentity | MakeIdentity | RememberProperties | Enforce | ForgetEvents | ForgetStatus | Finish


def encoded(event: Event) -> bytes:
    """An event as a spool keeps it; raises MessageError for one that is too big to travel."""
    body = msgspec.json.encode(event)
    if len(body) > MAX_EVENT_BYTES:
        raise MessageError(f"an event of {len(body)} bytes; a handler is sent none of more than {MAX_EVENT_BYTES}")
    return body


def props_version(properties: Mapping[str, str]) -> str:
    """The version string of a set of properties."""
    return version_of(dict(properties))


def changed_since(sent: Mapping[str, str], properties: Mapping[str, str]) -> dict[str, str]:
    """What is new or different; a property that is gone becomes empty."""
    changed = {name: value for name, value in properties.items() if sent.get(name) != value}
    return changed | {name: "" for name in sent if name not in properties and sent[name]}


class AgentSession:
    """The agent's side of one communication."""

    def __init__(
        self,
        identity: Identity,
        versions: Versions,
        properties: Mapping[str, str],
        sent: Mapping[str, str],
        outbox: Outbox,
        occasion: Occasion,
    ) -> None:
        self._identity = identity
        self._guid = identity.guid
        self._versions = versions
        self._properties = dict(properties)
        self._sent = dict(sent)
        self._events = list(outbox.events)
        self._statuses = list(outbox.statuses)
        self._occasion = occasion
        self._enrolled_now = False
        self._awaits_enforced = False

    def start(self) -> list[Command]:
        """The first message; events of priority go without properties and policies (domain §4)."""
        if not self._identity.enrolled:
            return [Send(self._enrol())]
        return self._deliver() if self._occasion.reason == "event" else [Send(self._props_version())]

    def receive(self, event: ToAgent | EnforcementDone) -> list[Command]:
        """What to do about an answer, or about the end of an enforcement; raises MessageError for an answer out of
        order."""
        match event:
            case Enrolled():
                return self._known_as(event.guid)
            case RequestProps():
                return [Send(self._props(event))]
            case Package():
                return [RememberProperties(self._properties), *self._take(event)]
            case EnforcementDone():
                return self._enforced(event)
            case EventsAccepted():
                return [ForgetEvents(event.keys), *self._forget(event.keys)]
            case Acknowledged():
                return self._acknowledged()
            case Refused():
                return self._refused(event)
        raise MessageError(f"{type(event).__name__} is not the answer to anything that an agent says")

    def _enrol(self) -> Enrol:
        who = self._identity
        proof = signing.enrolment_proof(who.enrolment_key, who.guid, who.public_key, who.computer_name)
        return Enrol(
            guid=who.guid,
            public_key=who.public_key,
            computer_name=who.computer_name,
            fqdn=who.fqdn,
            version=who.version,
            platform=who.platform,
            proof=proof,
        )

    def _known_as(self, guid: str) -> list[Command]:
        self._guid = guid
        self._enrolled_now = True
        self._sent = {}
        return [TakeIdentity(guid), Send(self._props_version())]

    def _props_version(self) -> PropsVersion:
        return PropsVersion(
            guid=self._guid,
            version=self._identity.version,
            props_version=props_version(self._properties),
            policy_version=self._versions.policy,
            tasks_version=self._versions.tasks,
            sitelist_version=self._versions.sitelist,
            reason=self._occasion.reason,
            wakeup_id=self._occasion.wakeup_id,
            via_relay=self._occasion.via_relay,
            computer_name=self._identity.computer_name,
            net_address=self._properties.get("NetAddress", ""),
            sequence=self._identity.sequence,
        )

    def _props(self, request: RequestProps) -> Props:
        strange = bool(request.known_version) and request.known_version != props_version(self._sent)
        full = request.kind == "full" or self._occasion.full_props or strange
        return Props(
            guid=self._guid,
            kind="full" if full else "incremental",
            props_version=props_version(self._properties),
            values=dict(self._properties) if full else changed_since(self._sent, self._properties),
            policy_version=self._versions.policy,
            tasks_version=self._versions.tasks,
            sitelist_version=self._versions.sitelist,
            wakeup_id=self._occasion.wakeup_id,
            policy_manifest=dict(self._versions.manifest) if self._versions.manifest is not None else None,
        )

    def _take(self, package: Package) -> list[Command]:
        if package.policies is None and package.tasks is None and package.sitelist is None:
            return self._deliver()
        return [Enforce(package)]

    def _enforced(self, done: EnforcementDone) -> list[Command]:
        before, self._properties = self._properties, dict(done.properties)
        self._versions = done.versions
        message = Enforced(
            guid=self._guid,
            policy_version=done.versions.policy,
            tasks_version=done.versions.tasks,
            sitelist_version=done.versions.sitelist,
            props_version=props_version(done.properties),
            values=changed_since(before, done.properties),
            problems=done.problems,
        )
        self._awaits_enforced = True
        return [Send(message)]

    def _acknowledged(self) -> list[Command]:
        if self._awaits_enforced:
            self._awaits_enforced = False
            return [RememberProperties(self._properties), *self._deliver()]
        if not self._statuses:
            raise MessageError("an acknowledgement of nothing")
        return [ForgetStatus(self._statuses.pop(0)), *self._deliver()]

    def _forget(self, keys: tuple[str, ...]) -> list[Command]:
        accepted = set(keys)
        left = [event for event in self._events if event.key not in accepted]
        if len(left) == len(self._events):
            return [Finish("the handler accepted none of the events")]
        self._events = left
        return self._deliver()

    def _deliver(self) -> list[Command]:
        if self._events:
            return [Send(Events(guid=self._guid, events=self._next_events()))]
        if self._statuses:
            return [Send(msgspec.structs.replace(self._statuses[0], guid=self._guid))]
        return [Finish()]

    def _next_events(self) -> tuple[Event, ...]:
        return first_that_fit(self._events, EVENTS_PER_MESSAGE, EVENT_BYTES_PER_MESSAGE)

    def _refused(self, refusal: Refused) -> list[Command]:
        reason = f"{refusal.code}: {refusal.text}"
        if refusal.code not in _ENROL_AGAIN or self._enrolled_now:
            return [Finish(reason)]
        if refusal.code == "regenerate-guid":
            return [MakeIdentity(), Finish(reason)]
        return [Send(self._enrol())]
