"""Wake-ups as the console sees them: queued for the handlers, awaited, counted and logged (domain §6.1, §7.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from miniepo.protocol import sitelist
from miniepo.protocol.sitelist import Site
from miniepo.protocol.version import Behaviour
from miniepo.server.assigned import Declared, read_declared
from miniepo.server.batch import Order, Outcome, carry_out
from miniepo.server.services import Services
from miniepo.server.wakeup_plan import Job, Plan, Unwoken, choose_caller, plan_broadcast, plan_direct
from miniepo.store.handlers import Handler
from miniepo.store.systems import System
from miniepo.store.work import HANDLER_SILENT_SECONDS, LISTENER, SUPERAGENT

TASK_NAME = "Wake Up Agents"


@dataclass(frozen=True, slots=True)
class WakeupOptions:
    """The options of the API with the defaults of a published client (domain §6.1)."""

    full_props: bool = False
    random_minutes: float = 0.0
    use_all_handlers: bool = False
    retry_seconds: float = 30.0
    attempts: int = 1
    abort_after_minutes: float = 5.0
    superagent: bool = False
    full_policy: bool = False

    @property
    def values(self) -> dict[str, Any]:
        """What a handler needs to know of them."""
        return {
            "full_props": self.full_props,
            "full_policy": self.full_policy,
            "random_seconds": self.random_minutes * 60,
            "attempts": self.attempts,
            "retry_seconds": self.retry_seconds,
        }


async def wake(
    services: Services, systems: Sequence[System], unknown: Sequence[Unwoken], options: WakeupOptions, user: str
) -> Outcome:
    """Queue a wake-up for each system and wait until the handlers are through with all of them.

    `unknown` are names that were given as well and are no system's: each is told as one that failed.
    """
    everyone = await services.store.systems.all() if options.superagent else []
    plan = plan_broadcast(systems, everyone) if options.superagent else plan_direct(systems)
    orders = await _orders(services, plan, options)
    return await carry_out(services, TASK_NAME, user, orders, (*plan.unwoken, *unknown))


async def _orders(services: Services, plan: Plan, options: WakeupOptions) -> list[Order]:
    """Each job with its wake-up id, one for a whole segment, and the handler that is to do it."""
    known = await services.store.handlers.all()
    handlers = {each.id: each for each in known if is_alive(each)}
    declared = await read_declared(services.store) if plan.jobs else None
    segments = {job.segment: services.entropy.guid() for job in plan.jobs if job.segment}
    found: list[Order] = []
    for job in plan.jobs:
        first = first_handler(declared, job.system, handlers) if declared is not None else None
        among = listed_handlers(declared, job.system, known) if declared is not None else []
        choice = choose_caller(job.system, handlers, options.use_all_handlers, first_handler_only(job.system), first)
        found.append(
            Order(
                job.system,
                job.kind,
                segments.get(job.segment) or services.entropy.guid(),
                {**options.values, **_of_segment(job), "held": choice.held} | ({"among": among} if among else {}),
                choice.handler_id,
                options.abort_after_minutes * 60 + (options.random_minutes * 60 if job.kind == LISTENER else 0),
            )
        )
    return found


def _of_segment(job: Job) -> dict[str, Any]:
    return {"segment": job.segment} if job.kind == SUPERAGENT else {}


def first_handler_only(system: System) -> bool:
    """Whether the agent is so old that it answers nobody but its first handler (domain §4, source S2)."""
    return Behaviour.of(system.version or "").server_connections == "first-handler"


def first_handler(declared: Declared, system: System, handlers: Mapping[int, Handler]) -> int | None:
    """The number of the first handler in a system's site list; None if it does not live."""
    listed = _handlers_of(declared.for_system(system).sitelist.xml)
    host = listed[0].host if listed else ""
    return next((id for id, handler in handlers.items() if handler.fqdn == host), None)


def listed_handlers(declared: Declared, system: System, known: Sequence[Handler]) -> list[int]:
    """The numbers of the handlers in a system's site list: it answers no others (domain §4, source S2).

    The one that it last talked to is in the list that it has, if not in the one that it gets at its next call-in.
    """
    hosts = {site.host for site in _handlers_of(declared.for_system(system).sitelist.xml)}
    return [handler.id for handler in known if handler.fqdn in hosts or handler.id == system.last_handler_id]


@lru_cache(maxsize=64)
def _handlers_of(xml: str) -> Sequence[Site]:
    return sitelist.parse(xml).handlers


def is_alive(handler: Handler) -> bool:
    """Whether a handler has said lately that it lives."""
    return handler.enabled and handler.silent_seconds < HANDLER_SILENT_SECONDS
