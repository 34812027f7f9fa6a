"""status.json: what the agent is and what it did last, for people and tests on the node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from miniepo.agent.attempts import Tried
from miniepo.agent.communication import CallIn
from miniepo.agent.enforcement import Enforcer
from miniepo.agent.state import StateDirectory
from miniepo.agent.update import Outcome
from miniepo.clock import iso_utc
from miniepo.config import AgentConfig


def describe(
    config: AgentConfig,
    state: StateDirectory,
    enforcer: Enforcer,
    call_in: CallIn | None,
    update: Outcome | None,
    spooled: int,
    tried: Sequence[Tried] = (),
) -> dict[str, Any]:
    """The document; times in ISO-8601, None for what did not happen yet."""
    versions = enforcer.versions
    routing = state.routing
    return {
        "guid": state.registration.guid,
        "computer_name": config.computer_name,
        "enrolled": state.registration.enrolled,
        "last_callin": iso_utc(call_in.at) if call_in else None,
        "last_callin_seconds": call_in.at if call_in else None,
        "last_callin_reason": call_in.reason if call_in else None,
        "last_wakeup_id": call_in.wakeup_id if call_in else None,
        "last_session": list(call_in.session) if call_in else [],
        "last_connections": call_in.connections if call_in else None,
        "last_handler": _handler(call_in),
        "last_attempts": [each.row for each in tried],
        "policy_version": versions.policy,
        "tasks_version": versions.tasks,
        "sitelist_version": versions.sitelist,
        "asci_seconds": enforcer.settings.asci_seconds,
        "enforcement_seconds": enforcer.settings.enforcement_seconds,
        "enforcements": enforcer.enforcements,
        "installed": state.installed,
        "roles": enforcer.role_states(),
        "update_source": update.repository if update else None,
        "update_via_relay": update.via_relay if update else None,
        "relays": [relay.computer_name for relay in routing.relays],
        "unreachable_handlers": list(routing.unreachable),
        "spooled_events": spooled,
        "problems": list(enforcer.problems),
    }


def _handler(call_in: CallIn | None) -> dict[str, Any] | None:
    if call_in is None:
        return None
    return {"name": call_in.handler, "address": call_in.address, "via_relay": call_in.via_relay}
