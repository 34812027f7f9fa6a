"""What people on the node can tell a running agent through its control socket: call in, take an event, update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from miniepo.agent.caller import Caller
from miniepo.agent.enforcement import Enforcer
from miniepo.agent.spool import Spool
from miniepo.agent.tasks import TaskRunner
from miniepo.clock import Clock, Entropy
from miniepo.errors import MiniepoError
from miniepo.protocol.agent_session import Occasion
from miniepo.protocol.messages import ClientTask, Event


class Order(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One order; the fields of an event count for `event` only."""

    order: Literal["callin", "event", "update", "status", "enforce"]
    event_id: int = 0
    severity: int = 5
    text: str = ""
    kind: Literal["threat", "product"] = "threat"
    fields: dict[str, str] = {}
    count: int = 1


class Reply(msgspec.Struct, kw_only=True):
    """Whether the order was carried out, and what came of it."""

    ok: bool
    result: dict[str, Any] = {}
    error: str = ""


class Orders:
    """Carries out orders."""

    def __init__(
        self,
        caller: Caller,
        spool: Spool,
        runner: TaskRunner,
        enforcer: Enforcer,
        status: Callable[[], dict[str, Any]],
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._caller = caller
        self._spool = spool
        self._runner = runner
        self._enforcer = enforcer
        self._status = status
        self._clock = clock
        self._entropy = entropy

    async def answer(self, line: bytes) -> bytes:
        """The reply to one line, itself a line."""
        try:
            reply = Reply(ok=True, result=await self._carry_out(msgspec.json.decode(line, type=Order)))
        except (MiniepoError, msgspec.DecodeError, OSError) as error:
            reply = Reply(ok=False, error=str(error))
        return msgspec.json.encode(reply) + b"\n"

    async def _carry_out(self, order: Order) -> dict[str, Any]:
        match order.order:
            case "callin":
                call_in = await self._caller.ask(Occasion("manual"))
                return {"handler": call_in.handler, "via_relay": call_in.via_relay, "at": call_in.at}
            case "event":
                return {"keys": [self._keep(order) for _ in range(order.count)]}
            case "update":
                text = await self._runner.run(ClientTask(id="manual", name="manual update", type="update"))
                return {"outcome": text}
            case "enforce":
                return {"problems": list(self._enforcer.enforce())}
            case "status":
                return self._status()

    def _keep(self, order: Order) -> str:
        event = Event(
            key=self._entropy.guid(),
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
