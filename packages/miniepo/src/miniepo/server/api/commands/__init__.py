"""All commands of the Web API, a module for each prefix."""

from __future__ import annotations

from miniepo.server.api.authentication import Authentication
from miniepo.server.api.commands import (
    agent_log,
    agentmgmt,
    clienttask,
    core,
    datachannel,
    group,
    lab,
    policy,
    repository,
    run_now,
    scheduler,
    system,
    tasklog,
)
from miniepo.server.api.registry import Registry
from miniepo.server.services import Services

_MODULES = (
    agent_log,
    agentmgmt,
    clienttask,
    datachannel,
    group,
    lab,
    policy,
    repository,
    run_now,
    scheduler,
    system,
    tasklog,
)


def all_commands(services: Services, authentication: Authentication) -> Registry:
    """The registry of this server; core.help tells of every command in it."""
    found = [command for module in _MODULES for command in module.commands(services)]
    return Registry([*found, *core.commands(authentication, found)])
