"""What people on the node can tell a running agent through its control socket: call in, take an event, update."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

from miniepo.agent.caller import Caller
from miniepo.agent.enforcement import Enforcer
from miniepo.agent.spool import Spool
from miniepo.agent.state import StateDirectory
from miniepo.agent.tasks import TaskRunner
from miniepo.clock import Clock, Entropy
from miniepo.errors import ConfigError, MiniepoError
from miniepo.protocol.agent_session import Occasion
from miniepo.protocol.discovery import Relay
from miniepo.protocol.messages import LONGEST_PROPERTY, ClientTask, Event

CUSTOM_PROPERTIES = range(1, 5)


class Order(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One order; `number` is a custom property's, `text` its value; the fields of an event count for `event` only.

    With `forget` the agent that calls in has first forgotten its relays, and which handlers did not answer.
    Events with a `key` are `<key>-1`, `<key>-2`, …: an order that is given again, because nobody knows whether it was
    carried out, makes no second event.
    """

    order: Literal["callin", "event", "update", "status", "enforce", "property", "discover"]
    event_id: int = 0
    severity: int = 5
    text: str = ""
    kind: Literal["threat", "product"] = "threat"
    fields: dict[str, str] = {}
    number: int = 0
    count: int = 1
    key: str = ""
    forget: bool = False


class Reply(msgspec.Struct, kw_only=True):
    """Whether the order was carried out, and what came of it; `error` says why not. An update that failed has both."""

    ok: bool
    result: dict[str, Any] = {}
    error: str = ""


class Orders:
    """Carries out orders."""

    def __init__(
        self,
        caller: Caller,
        spool: Spool,
        state: StateDirectory,
        runner: TaskRunner,
        enforcer: Enforcer,
        status: Callable[[], dict[str, Any]],
        discover: Callable[[], Awaitable[tuple[Relay, ...]]],
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._caller = caller
        self._spool = spool
        self._state = state
        self._runner = runner
        self._enforcer = enforcer
        self._status = status
        self._discover = discover
        self._clock = clock
        self._entropy = entropy

    async def answer(self, line: bytes) -> bytes:
        """The reply to one line, itself a line."""
        try:
            reply = await self._carry_out(msgspec.json.decode(line, type=Order))
        except (MiniepoError, msgspec.DecodeError, OSError) as error:
            reply = Reply(ok=False, error=str(error))
        return msgspec.json.encode(reply) + b"\n"

    async def _carry_out(self, order: Order) -> Reply:
        match order.order:
            case "callin":
                call_in = await self._caller.ask(Occasion("manual", anew=order.forget))
                return _done({"handler": call_in.handler, "via_relay": call_in.via_relay, "at": call_in.at})
            case "event":
                return _done({"keys": [self._keep(order, number + 1) for number in range(order.count)]})
            case "update":
                return await self._update()
            case "enforce":
                return _done({"problems": list(self._enforcer.enforce())})
            case "discover":
                return _done({"relays": [relay.computer_name for relay in await self._discover()]})
            case "property":
                return _done(self._set_property(order))
            case "status":
                return _done(self._status())

    async def _update(self) -> Reply:
        outcome = await self._runner.run(ClientTask(id="manual", name="manual update", type="update"))
        seen = self._status()
        result = {"outcome": outcome.line} | {name: seen[name] for name in ("update_source", "update_via_relay")}
        return _done(result) if outcome.status == "succeeded" else Reply(ok=False, result=result, error=outcome.line)

    def _set_property(self, order: Order) -> dict[str, Any]:
        """A custom property is reported with the next properties; without a text it is none any more."""
        if order.number not in CUSTOM_PROPERTIES:
            raise ConfigError(f"there is no custom property {order.number}; there are 1 to {len(CUSTOM_PROPERTIES)}")
        if len(order.text) > LONGEST_PROPERTY:
            raise ConfigError(f"a property has {LONGEST_PROPERTY} characters at most, not {len(order.text)}")
        name = f"UserProperty{order.number}"
        kept = {key: value for key, value in self._state.custom_properties.items() if key != name}
        self._state.custom_properties = kept | ({name: order.text} if order.text else {})
        return {"properties": self._state.custom_properties}

    def _keep(self, order: Order, number: int) -> str:
        event = Event(
            key=f"{order.key}-{number}" if order.key else self._entropy.guid(),
            kind=order.kind,
            event_id=order.event_id,
            severity=order.severity,
            detected=self._clock.now(),
            text=order.text,
            fields=order.fields,
        )
        self._spool.add(event)
        if event.severity <= self._enforcer.settings.event_priority:
            self._caller.event_waits()
        return event.key


def _done(result: dict[str, Any]) -> Reply:
    return Reply(ok=True, result=result)
