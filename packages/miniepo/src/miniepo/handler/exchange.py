"""What a handler answers to an agent's envelope: who is it, is it fresh, what does it say, what does it get back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, Protocol

import msgspec
from nacl.signing import SigningKey, VerifyKey

from miniepo import log
from miniepo.clock import Clock, Entropy
from miniepo.errors import ConfigError, MessageError, RefusedError, SignatureError, StaleEnvelopeError
from miniepo.handler import enrolment_check, properties
from miniepo.handler.declared import DeclaredMemory
from miniepo.handler.identity_check import Machine, Verdict, judge
from miniepo.protocol import codec, messages, signing
from miniepo.protocol.datachannel import ChannelExchange, ChannelItems
from miniepo.protocol.manifest import difference
from miniepo.protocol.signing import Envelope
from miniepo.server.assigned import Assigned
from miniepo.store.event_rows import Delivered
from miniepo.store.groups import LOST_AND_FOUND_ID
from miniepo.store.reports import Reported
from miniepo.store.store import Store
from miniepo.store.systems import Callin, System

KEYS_REMEMBERED = 10_000
MAX_ENROLMENT_BYTES = 64 * 1024
LONGEST_NAME = 255
LONGEST_PROBLEMS = 10_000
_logger = log.logger("handler.exchange")


@dataclass(frozen=True, slots=True)
class Identity:
    """The handler: its name, its number in the database, the ASSC key that it signs with, the enrolment key."""

    name: str
    id: int
    key: SigningKey
    enrolment_key: str


class Channel(Protocol):
    """What answers an agent that looks what waits for it on the DataChannel."""

    async def exchange(self, system: System, message: ChannelExchange) -> ChannelItems: ...


class Exchange:
    """Answers envelopes; everything that must be remembered is in the store."""

    def __init__(self, store: Store, identity: Identity, channel: Channel, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._identity = identity
        self._channel = channel
        self._clock = clock
        self._entropy = entropy
        self._declared = DeclaredMemory(store)
        self._keys = lru_cache(maxsize=KEYS_REMEMBERED)(signing.verify_key)

    async def answer(self, data: bytes, remote_address: str, certificate: str = "") -> bytes:
        """The signed answer to an envelope; raises MessageError if it is none, StoreError without a database.

        `certificate` is the common name of the client's certificate, "" without TLS.
        """
        envelope = signing.open_envelope(data)
        try:
            reply = await self._reply(envelope, remote_address, certificate)
        except RefusedError as refusal:
            _logger.warning("refused %s at %s: %s", envelope.sender, remote_address, refusal)
            reply = messages.Refused(code=refusal.code, text=refusal.reason)
        return self._seal(reply, envelope)

    def _seal(self, reply: messages.ToAgent, request: Envelope) -> bytes:
        return signing.seal(
            codec.encode(reply),
            self._identity.key,
            sender=self._identity.name,
            recipient=request.sender,
            issued_at=self._clock.now(),
            nonce=self._entropy.nonce(),
            reply_to=request.nonce,
        )

    async def _reply(self, envelope: Envelope, remote_address: str, certificate: str) -> messages.ToAgent:
        """Only an enrolment, which brings its own key, is read before its signature is verified; it must be short."""
        if _claims_to_enrol(envelope):
            enrolment = _enrolment(envelope)
            self._verify(envelope, _offered_key(enrolment))
            await self._first_use(envelope)
            return await self._enrol(enrolment, certificate)
        system = await self._store.reports.system(envelope.sender)
        if system is None or system.public_key is None:
            raise _unknown(envelope.sender)
        self._verify(envelope, self._keys(system.public_key))
        message = _decode(envelope)
        number = await self._first_use(envelope)
        return await self._serve(system, message, remote_address, certificate, number)

    def _verify(self, envelope: Envelope, key: VerifyKey) -> None:
        """Raise RefusedError unless the envelope is the key owner's and fresh."""
        try:
            signing.verify(envelope, key, now=self._clock.now())
        except SignatureError as error:
            raise RefusedError("bad-signature", str(error)) from error
        except StaleEnvelopeError as error:
            raise RefusedError("stale", str(error)) from error

    async def _first_use(self, envelope: Envelope) -> int:
        """Raise RefusedError unless the envelope is seen for the first time.

        What comes back is the number of the last change of what is declared, read just now.
        """
        number = await self._store.reports.first_use(envelope.sender, envelope.nonce)
        if number is None:
            raise RefusedError("replayed", "this envelope was seen before")
        return number

    async def _serve(
        self, system: System, message: messages.FromAgent, remote_address: str, certificate: str, number: int
    ) -> messages.ToAgent:
        match message:
            case messages.PropsVersion():
                return await self._begin(system, message, remote_address)
            case messages.Props():
                return await self._properties(system, message, certificate, number)
            case messages.Events():
                return await self._events(system, message)
            case messages.TaskStatus():
                await self._store.tasks.report(message)
            case messages.Enforced():
                await self._enforced(system, message, certificate)
            case ChannelExchange():
                return await self._channel.exchange(system, message)
            case messages.Enrol():
                raise RefusedError("bad-message", "an enrolment is not served here")
        return messages.Acknowledged()

    async def _enrol(self, message: messages.Enrol, certificate: str) -> messages.ToAgent:
        expected = signing.enrolment_proof(
            self._identity.enrolment_key, message.guid, message.public_key, message.computer_name
        )
        if not signing.proof_matches(expected, message.proof):
            raise RefusedError("bad-proof", "the agent does not know this server's enrolment key")
        if reason := enrolment_check.foreign(certificate, message.computer_name, message.fqdn):
            raise RefusedError("foreign-machine", reason)
        async with self._store.transaction() as store:
            holder = await store.systems.by_guid(message.guid)
            if holder is not None and holder.public_key != message.public_key:
                raise RefusedError("regenerate-guid", f"GUID {message.guid} belongs to another key")
            system = holder or await store.systems.ensure(message.computer_name, message.fqdn, LOST_AND_FOUND_ID)
            key, released = system.public_key, system.regenerate_guid
            if not enrolment_check.may_take(certificate, key, message.public_key, released=released):
                raise RefusedError("foreign-machine", f"another agent is {system.name}, and {certificate!r} is not its")
            await store.systems.enrol(system.id, message.guid, message.public_key, message.version)
        _logger.info("enrolled %s as %s", message.computer_name, message.guid)
        return messages.Enrolled(guid=message.guid)

    async def _begin(
        self, system: System, message: messages.PropsVersion, remote_address: str
    ) -> messages.RequestProps:
        verdict = _judge(system, message)
        if verdict.regenerate:
            raise RefusedError("regenerate-guid", verdict.regenerate)
        callin = Callin(
            version=message.version,
            policy_version=message.policy_version,
            tasks_version=message.tasks_version,
            sitelist_version=message.sitelist_version,
            reason=message.reason,
            wakeup_id=message.wakeup_id,
            via_relay=message.via_relay and message.via_relay[:LONGEST_NAME],
            remote_address=remote_address,
            handler_id=self._identity.id,
            sequence=message.sequence,
            sequence_errors=verdict.sequence_errors,
        )
        if not await self._store.reports.call_in(system.id, callin):
            raise _unknown(message.guid)
        kind = await self._wanted_props(system, message)
        return messages.RequestProps(kind=kind, known_version=system.props_version)

    async def _wanted_props(self, system: System, message: messages.PropsVersion) -> Literal["full", "incremental"]:
        """All properties if none are known or the wake-up asked for them, else the changed ones."""
        if not system.props_version:
            return "full"
        if message.wakeup_id and await self._store.work.wants_full_props(message.wakeup_id):
            return "full"
        return "incremental"

    async def _properties(
        self, system: System, message: messages.Props, certificate: str, number: int
    ) -> messages.Package:
        received = _received(system, message.values, certificate, full=message.kind == "full")
        if message.props_version != system.props_version or message.values:
            number = max(number, await self._record_properties(system, message.props_version, received))
        fresh = replace(system, properties=received)
        assigned = (await self._declared.at(number)).for_system(fresh)
        if message.wakeup_id and await self._store.work.wants_full_policy(message.wakeup_id):
            message = msgspec.structs.replace(message, policy_version="", tasks_version="", sitelist_version="")
        return _package(assigned, message, system.channel_waits)

    async def _record_properties(self, system: System, version: str, received: dict[str, str]) -> int:
        """Store what is known of a system now; the number of the change that its repository made, 0 if it has none."""
        before, now = properties.roles(system.properties), properties.roles(received)
        reported = Reported(system.id, version, properties.columns(received), received)
        if not (before.superagent_repository or now.superagent_repository):
            if not await self._store.reports.properties(reported):
                raise _unknown(system.guid or system.name)
            return 0
        async with self._store.transaction() as store:
            await store.systems.record_properties(system.id, version, reported.columns, received)
            if now.superagent_repository:
                name = received.get("ComputerName", system.name)
                await store.repositories.register(system.id, name, now.superagent_port)
            else:
                await store.repositories.unregister(system.id)
        return await self._store.reports.declared()

    async def _events(self, system: System, message: messages.Events) -> messages.EventsAccepted:
        await self._store.events.add(Delivered(self._identity.name, message.guid, system.id, message.events))
        return messages.EventsAccepted(keys=tuple(event.key for event in message.events))

    async def _enforced(self, system: System, message: messages.Enforced, certificate: str) -> None:
        received = _received(system, message.values, certificate, full=False)
        problems = "; ".join(message.problems)[:LONGEST_PROBLEMS]
        await self._store.systems.record_versions(
            system.id, message.policy_version, message.tasks_version, message.sitelist_version, problems
        )
        if message.props_version != system.props_version or message.values:
            await self._record_properties(system, message.props_version, received)


def _received(system: System, values: dict[str, str], certificate: str, *, full: bool) -> dict[str, str]:
    """What is known of a system with these properties; RefusedError if they are too many, or name another machine."""
    if not values and not full:
        return system.properties
    received = properties.merged(system.properties, values, full)
    if reason := properties.excess(received):
        raise RefusedError("bad-message", reason)
    known = system.computer_name, system.fqdn
    reported = received.get("ComputerName") or known[0], received.get("IPHostName") or known[1]
    if reason := enrolment_check.misnamed(certificate, known, reported):
        raise RefusedError("foreign-machine", reason)
    return received


def _unknown(guid: str) -> RefusedError:
    return RefusedError("unknown-agent", f"no agent with GUID {guid} has enrolled")


def _judge(system: System, message: messages.PropsVersion) -> Verdict:
    known = Machine(system.computer_name, system.net_address, system.sequence)
    calling = Machine(message.computer_name, message.net_address, message.sequence)
    return judge(known, calling, system.sequence_errors, system.regenerate_guid)


def _claims_to_enrol(envelope: Envelope) -> bool:
    try:
        return codec.claims_to_enrol(envelope.payload)
    except MessageError as error:
        raise RefusedError("bad-message", str(error)) from error


def _decode(envelope: Envelope) -> messages.FromAgent:
    try:
        message = codec.decode_from_agent(envelope.payload)
    except MessageError as error:
        raise RefusedError("bad-message", str(error)) from error
    if message.guid != envelope.sender:
        raise RefusedError("bad-message", "the message is about another GUID than its sender's")
    return message


def _enrolment(envelope: Envelope) -> messages.Enrol:
    if len(envelope.payload) > MAX_ENROLMENT_BYTES:
        raise RefusedError("bad-message", f"an enrolment of more than {MAX_ENROLMENT_BYTES} bytes")
    message = _decode(envelope)
    if not isinstance(message, messages.Enrol):
        raise RefusedError("bad-message", "it is no enrolment")
    return message


def _offered_key(message: messages.Enrol) -> VerifyKey:
    try:
        return signing.verify_key(message.public_key, "the agent's public key")
    except ConfigError as error:
        raise RefusedError("bad-message", str(error)) from error


def _package(assigned: Assigned, reported: messages.Props, channel_waits: bool) -> messages.Package:
    """The parts that differ from what the agent reported."""
    policies = assigned.policies
    if reported.policy_manifest is not None:
        policies = difference(policies, reported.policy_manifest)
    return messages.Package(
        policies=policies if policies.version != reported.policy_version else None,
        tasks=assigned.tasks if assigned.tasks.version != reported.tasks_version else None,
        sitelist=assigned.sitelist if assigned.sitelist.version != reported.sitelist_version else None,
        channel_waits=channel_waits,
    )
