"""Push installs as the console sees them: planned, queued for a handler, awaited, told in the Server Task Log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from miniepo.errors import CommandError
from miniepo.protocol.credentials import sealed
from miniepo.server.batch import Order, Outcome, carry_out
from miniepo.server.push_plan import plan_push
from miniepo.server.services import Services

TASK_NAME = "Deploy McAfee Agent"


@dataclass(frozen=True, slots=True)
class PushOptions:
    """Who logs in, and how patiently; the defaults are those of a wake-up (domain §6.1), [uncertain] for a push.

    Without a password the handler's remembered credentials are used. `handler` is the name of the one that pushes.
    """

    user: str
    password: str | None = None
    force: bool = False
    handler: str | None = None
    retry_seconds: float = 30.0
    attempts: int = 1
    abort_after_minutes: float = 5.0


async def deploy(services: Services, names: Sequence[str], options: PushOptions, user: str) -> Outcome:
    """Push the agent to the systems of these NetBIOS names, and wait until the handlers are through."""
    plan = plan_push(names, await services.store.systems.all())
    handler_id = await _handler(services, options.handler)
    values = _values(services, options) | {"held": "only" if handler_id is not None else "grace"}
    expires = options.abort_after_minutes * 60
    orders = [Order(job.system, job.kind, services.entropy.guid(), values, handler_id, expires) for job in plan.jobs]
    return await carry_out(services, TASK_NAME, user, orders, plan.unwoken)


def _values(services: Services, options: PushOptions) -> dict[str, Any]:
    """What a handler needs to know."""
    return {
        "user": options.user,
        "password": sealed(options.password, services.key) if options.password else "",
        "skip_if_installed": not options.force,
        "asci": services.settings.time_compression.asci_default_seconds,
        "attempts": options.attempts,
        "retry_seconds": options.retry_seconds,
    }


async def _handler(services: Services, name: str | None) -> int | None:
    if name is None:
        return None
    for handler in await services.store.handlers.all():
        if handler.name == name:
            return handler.id
    raise CommandError(f"there is no handler {name!r}; agentmgmt.listAgentHandlers lists them")
