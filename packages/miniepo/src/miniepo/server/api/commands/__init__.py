"""All commands of the Web API, a module for each prefix."""

from __future__ import annotations

from miniepo.server.api.authentication import Authentication
from miniepo.server.api.commands import (
    agentmgmt,
    clienttask,
    core,
    group,
    lab,
    policy,
    repository,
    scheduler,
    system,
    tasklog,
)
from miniepo.server.api.registry import Registry
from miniepo.server.services import Services


def all_commands(services: Services, authentication: Authentication) -> Registry:
    """The registry of this server; core.help tells of every command in it."""
    found = [
        command
        for module in (agentmgmt, clienttask, group, lab, policy, repository, scheduler, system, tasklog)
        for command in module.commands(services)
    ]
    return Registry([*found, *core.commands(authentication, found)])
