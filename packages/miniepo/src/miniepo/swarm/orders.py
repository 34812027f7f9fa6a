"""What people and tests on the node can tell a running swarm: every agent calls in, takes events, or says how it is."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal

import msgspec

from miniepo.agent.orders import Reply
from miniepo.agent.tasks import Outcome
from miniepo.clock import Clock, Entropy, iso_utc
from miniepo.errors import MiniepoError
from miniepo.protocol.agent_session import Occasion
from miniepo.protocol.messages import ClientTask, Event
from miniepo.swarm.member import Member


class SwarmOrder(msgspec.Struct, kw_only=True):
    """One order to all agents, or to the one named; what an order to a single agent has beside this is ignored."""

    order: Literal["callin", "event", "update", "status", "enforce"]
    member: str = ""
    event_id: int = 0
    severity: int = 5
    text: str = ""
    kind: Literal["threat", "product"] = "threat"
    fields: dict[str, str] = {}
    count: int = 1
    forget: bool = False


class SwarmOrders:
    """Carries out orders; an answer is sent when the ledger has what it speaks of."""

    def __init__(
        self, members: Sequence[Member], took: deque[float], clock: Clock, entropy: Entropy, commit: Callable[[], None]
    ) -> None:
        self._members = members
        self._took = took
        self._clock = clock
        self._entropy = entropy
        self._commit = commit

    async def answer(self, line: bytes) -> bytes:
        """The reply to one line, itself a line."""
        try:
            reply = await self._carry_out(msgspec.json.decode(line, type=SwarmOrder))
            self._commit()
        except (MiniepoError, msgspec.DecodeError, OSError) as error:
            reply = Reply(ok=False, error=str(error))
        return msgspec.json.encode(reply) + b"\n"

    async def _carry_out(self, order: SwarmOrder) -> Reply:
        chosen = [each for each in self._members if order.member in ("", each.config.computer_name)]
        match order.order:
            case "callin":
                result = await self._call_in(chosen, Occasion("manual", anew=order.forget))
            case "event":
                result = {"agents": len(chosen), "events": sum(self._keep(each, order) for each in chosen)}
            case "update":
                task = ClientTask(id="manual", name="manual update", type="update")
                return updated([await each.runner.run(task) for each in chosen])
            case "enforce":
                result = {"problems": sum(len(each.enforcer.enforce()) for each in chosen)}
            case "status":
                result = describe(chosen)
        return Reply(ok=True, result=result)

    async def _call_in(self, chosen: Sequence[Member], occasion: Occasion) -> dict[str, Any]:
        self._took.clear()
        began = self._clock.monotonic()
        asked = [each.caller.ask(occasion) for each in chosen]
        ended = await asyncio.gather(*asked, return_exceptions=True)
        failures = Counter(str(each) for each in ended if isinstance(each, BaseException))
        return {
            "agents": len(chosen),
            "called_in": len(ended) - failures.total(),
            "failures": dict(failures.most_common(5)),
            "seconds": round(self._clock.monotonic() - began, 3),
            "call_seconds": {str(percent): share(self._took, percent) for percent in (50, 99, 100)},
        }

    def _keep(self, member: Member, order: SwarmOrder) -> int:
        """Put events into an agent's spool; how many."""
        for _ in range(order.count):
            event = Event(
                key=self._entropy.guid(),
                kind=order.kind,
                event_id=order.event_id,
                severity=order.severity,
                detected=self._clock.now(),
                text=order.text,
                fields=order.fields,
            )
            member.spool.add(event)
        if order.severity <= member.enforcer.settings.event_priority:
            member.caller.event_waits()
        return order.count


def updated(outcomes: Sequence[Outcome]) -> Reply:
    """The reply to an order to update, which failed if it failed for any agent."""
    failures = Counter(each.line for each in outcomes if each.status != "succeeded")
    error = "; ".join(f"{count} of {len(outcomes)} agents {line}" for line, count in failures.most_common(5))
    return Reply(ok=not failures, result={"outcomes": dict(Counter(each.line for each in outcomes))}, error=error)


def share(seconds: Collection[float], percent: int) -> float:
    """The time that so many percent did not exceed (0 of nothing), in seconds to the millisecond."""
    ranked = sorted(seconds)
    return round(ranked[max(0, -(-len(ranked) * percent // 100) - 1)], 3) if ranked else 0.0


def describe(members: Sequence[Member]) -> dict[str, Any]:
    """How a swarm is: numbers, and for what differs the number of agents for each value."""
    last = [each.last for each in members if each.last is not None]
    routes = Counter(
        each.handler if each.via_relay is None else f"{each.handler} via {each.via_relay}" for each in last
    )
    return {
        "agents": len(members),
        "enrolled": sum(each.state.registration.enrolled for each in members),
        "called_in": len(last),
        "oldest_callin": iso_utc(min(each.at for each in last)) if last else None,
        "last_callin": iso_utc(max(each.at for each in last)) if last else None,
        "handlers": dict(routes),
        "policy_versions": dict(Counter(each.enforcer.versions.policy for each in members)),
        "asci_seconds": dict(Counter(f"{each.enforcer.settings.asci_seconds:g}" for each in members)),
        "spooled_events": sum(len(each.spool) for each in members),
    }
