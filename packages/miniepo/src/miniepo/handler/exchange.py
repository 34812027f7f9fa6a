"""What a handler answers to an agent's envelope: who is it, is it fresh, what does it say, what does it get back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nacl.signing import SigningKey, VerifyKey

from miniepo import log
from miniepo.clock import Clock, Entropy
from miniepo.errors import ConfigError, MessageError, RefusedError, SignatureError, StaleEnvelopeError
from miniepo.handler import properties
from miniepo.protocol import codec, messages, signing
from miniepo.protocol.signing import Envelope
from miniepo.server.assigned import Assigned, read_declared
from miniepo.store.groups import LOST_AND_FOUND_ID
from miniepo.store.store import Store
from miniepo.store.systems import Callin, System

_logger = log.logger("handler.exchange")


@dataclass(frozen=True, slots=True)
class Identity:
    """The handler: its name, its number in the database, the ASSC key that it signs with, the enrolment key."""

    name: str
    id: int
    key: SigningKey
    enrolment_key: str


class Exchange:
    """Answers envelopes; everything that must be remembered is in the store."""

    def __init__(self, store: Store, identity: Identity, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._identity = identity
        self._clock = clock
        self._entropy = entropy

    async def answer(self, data: bytes, remote_address: str) -> bytes:
        """The signed answer to an envelope; raises MessageError if it is none, StoreError without a database."""
        envelope = signing.open_envelope(data)
        try:
            reply = await self._reply(envelope, remote_address)
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

    async def _reply(self, envelope: Envelope, remote_address: str) -> messages.ToAgent:
        message = _decode(envelope)
        if message.guid != envelope.sender:
            raise RefusedError("bad-message", "the message is about another GUID than its sender's")
        if isinstance(message, messages.Enrol):
            await self._check(envelope, _offered_key(message))
            return await self._enrol(message)
        system = await self._store.systems.by_guid(envelope.sender)
        if system is None or system.public_key is None:
            raise RefusedError("unknown-agent", f"no agent with GUID {envelope.sender} has enrolled")
        await self._check(envelope, signing.verify_key(system.public_key))
        return await self._serve(system, message, remote_address)

    async def _check(self, envelope: Envelope, key: VerifyKey) -> None:
        """Raise RefusedError unless the envelope is the key owner's, fresh, and seen for the first time."""
        try:
            signing.verify(envelope, key, now=self._clock.now())
        except SignatureError as error:
            raise RefusedError("bad-signature", str(error)) from error
        except StaleEnvelopeError as error:
            raise RefusedError("stale", str(error)) from error
        if not await self._store.systems.is_first_use(envelope.sender, envelope.nonce):
            raise RefusedError("replayed", "this envelope was seen before")

    async def _serve(self, system: System, message: messages.FromAgent, remote_address: str) -> messages.ToAgent:
        match message:
            case messages.PropsVersion():
                return await self._begin(system, message, remote_address)
            case messages.Props():
                return await self._properties(system, message)
            case messages.Events():
                return await self._events(system, message)
            case messages.TaskStatus():
                await self._store.tasks.report(message)
            case messages.Enforced():
                await self._enforced(system, message)
            case messages.Enrol():
                raise RefusedError("bad-message", "an enrolment is not served here")
        return messages.Acknowledged()

    async def _enrol(self, message: messages.Enrol) -> messages.ToAgent:
        expected = signing.enrolment_proof(
            self._identity.enrolment_key, message.guid, message.public_key, message.computer_name
        )
        if not signing.proof_matches(expected, message.proof):
            raise RefusedError("bad-proof", "the agent does not know this server's enrolment key")
        async with self._store.transaction() as store:
            holder = await store.systems.by_guid(message.guid)
            if holder is not None and holder.public_key != message.public_key:
                raise RefusedError("regenerate-guid", f"GUID {message.guid} belongs to another key")
            system = holder or await store.systems.ensure(message.computer_name, message.fqdn, LOST_AND_FOUND_ID)
            await store.systems.enrol(system.id, message.guid, message.public_key, message.version)
        _logger.info("enrolled %s as %s", message.computer_name, message.guid)
        return messages.Enrolled(guid=message.guid)

    async def _begin(
        self, system: System, message: messages.PropsVersion, remote_address: str
    ) -> messages.RequestProps:
        callin = Callin(
            version=message.version,
            policy_version=message.policy_version,
            tasks_version=message.tasks_version,
            sitelist_version=message.sitelist_version,
            reason=message.reason,
            wakeup_id=message.wakeup_id,
            via_relay=message.via_relay,
            remote_address=remote_address,
            handler_id=self._identity.id,
        )
        async with self._store.transaction() as store:
            await store.systems.record_callin(system.id, callin)
        kind = await self._wanted_props(system, message)
        return messages.RequestProps(kind=kind, known_version=system.props_version)

    async def _wanted_props(self, system: System, message: messages.PropsVersion) -> Literal["full", "incremental"]:
        """All properties if none are known or the wake-up asked for them, else the changed ones."""
        if not system.props_version:
            return "full"
        if message.wakeup_id and await self._store.work.wants_full_props(message.wakeup_id):
            return "full"
        return "incremental"

    async def _properties(self, system: System, message: messages.Props) -> messages.Package:
        await self._record_properties(system, message.values, message.props_version, message.kind == "full")
        fresh = await self._store.systems.by_id(system.id) or system
        assigned = (await read_declared(self._store)).for_system(fresh)
        return _package(assigned, message)

    async def _record_properties(self, system: System, values: dict[str, str], version: str, full: bool) -> None:
        if version == system.props_version and not values:
            return
        received = properties.merged(system.properties, values, full)
        async with self._store.transaction() as store:
            await store.systems.record_properties(system.id, version, properties.columns(received), received)
            roles = properties.roles(received)
            if roles.superagent_repository:
                name = received.get("ComputerName", system.name)
                await store.repositories.register(system.id, name, roles.superagent_port)
            else:
                await store.repositories.unregister(system.id)

    async def _events(self, system: System, message: messages.Events) -> messages.EventsAccepted:
        async with self._store.transaction() as store:
            await store.events.add(self._identity.name, message.guid, system.id, message.events)
        return messages.EventsAccepted(keys=tuple(event.key for event in message.events))

    async def _enforced(self, system: System, message: messages.Enforced) -> None:
        problems = "; ".join(message.problems)
        await self._store.systems.record_versions(
            system.id, message.policy_version, message.tasks_version, message.sitelist_version, problems
        )
        await self._record_properties(system, message.values, message.props_version, full=False)


def _decode(envelope: Envelope) -> messages.FromAgent:
    try:
        return codec.decode_from_agent(envelope.payload)
    except MessageError as error:
        raise RefusedError("bad-message", str(error)) from error


def _offered_key(message: messages.Enrol) -> VerifyKey:
    try:
        return signing.verify_key(message.public_key, "the agent's public key")
    except ConfigError as error:
        raise RefusedError("bad-message", str(error)) from error


def _package(assigned: Assigned, reported: messages.Props) -> messages.Package:
    """The parts that differ from what the agent reported."""
    return messages.Package(
        policies=assigned.policies if assigned.policies.version != reported.policy_version else None,
        tasks=assigned.tasks if assigned.tasks.version != reported.tasks_version else None,
        sitelist=assigned.sitelist if assigned.sitelist.version != reported.sitelist_version else None,
    )
