"""How far the managed world has come to what is declared: one document for whoever waits for it."""

from __future__ import annotations

from typing import Any

from miniepo.handler.properties import roles
from miniepo.server.assigned import Declared, read_declared
from miniepo.server.services import Services
from miniepo.server.wakeup import is_alive
from miniepo.store.handlers import Handler
from miniepo.store.repositories import Repository
from miniepo.store.systems import System


async def readiness(services: Services) -> dict[str, Any]:
    """Every system, repository and handler with what it has and what it shall have; `ready` sums it up."""
    declared = await read_declared(services.store)
    version = services.master.version()
    systems = [_system(system, declared) for system in await services.store.systems.all()]
    repositories = [_repository(repository, version) for repository in declared.repositories]
    handlers = [_handler(handler) for handler in declared.handlers]
    parts = [*systems, *repositories, *handlers]
    return {
        "ready": bool(parts) and all(part["ready"] for part in parts),
        "catalog_version": version,
        "systems": systems,
        "repositories": repositories,
        "handlers": handlers,
    }


def _system(system: System, declared: Declared) -> dict[str, Any]:
    assigned = declared.for_system(system)
    enforced = system.policy_version == assigned.policies.version  # an agent names a version that it could enforce
    up_to_date = system.tasks_version == assigned.tasks.version and system.sitelist_version == assigned.sitelist.version
    in_force = roles(system.properties)
    handler = next((each.name for each in declared.handlers if each.id == system.last_handler_id), None)
    return {
        "name": system.name,
        "fqdn": system.fqdn,
        "group": system.group_path,
        "guid": system.guid,
        "enrolled": system.public_key is not None,
        "last_callin": system.last_update.isoformat() if system.last_update else None,
        "last_handler": handler,
        "via_relay": system.via_relay,
        "policy_enforced": enforced,
        "problems": system.problems,
        "tasks_and_sitelist_current": up_to_date,
        "relay": in_force.relay,
        "superagent": in_force.superagent_repository,
        "ready": system.public_key is not None and enforced and up_to_date,
    }


def _repository(repository: Repository, version: int) -> dict[str, Any]:
    return {
        "name": repository.name,
        "fqdn": repository.fqdn,
        "replicated_version": repository.replicated_version,
        "replicated_on": repository.replicated_on.isoformat() if repository.replicated_on else None,
        "last_error": repository.last_error,
        "current": repository.replicated_version == version,
        "ready": repository.replicated_on is not None and not repository.last_error,
    }


def _handler(handler: Handler) -> dict[str, Any]:
    return {
        "name": handler.name,
        "fqdn": handler.fqdn,
        "addresses": [address for address in (handler.address, handler.address_v6) if address],
        "silent_seconds": round(handler.silent_seconds, 1),
        "ready": is_alive(handler),
    }
