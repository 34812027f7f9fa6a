"""`core.*` and `epo.*`: help, the security token, the version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from miniepo.errors import CommandError
from miniepo.protocol.version import EPO_VERSION
from miniepo.server.api.arguments import Call
from miniepo.server.api.authentication import Authentication
from miniepo.server.api.registry import Command, Registry


def commands(authentication: Authentication, others: Sequence[Command]) -> list[Command]:
    """The commands of this module; help knows `others` and these."""

    async def security_token(call: Call) -> str:
        return authentication.token(call.user)

    async def version(_: Call) -> str:
        return EPO_VERSION

    async def help_(call: Call) -> list[str]:
        return help_lines(Registry([*others, *own]), call.optional("command"), call.optional("prefix"))

    own = [
        Command("core.getSecurityToken", (), "Gives the security token of the caller for this session", security_token),
        Command("core.help", ("[command]", "prefix=<>"), "Lists the commands, or explains one of them", help_),
        Command("epo.getVersion", (), "Gives the version of the server", version),
    ]
    return own


def help_lines(registry: Registry, name: str | None, prefix: str | None) -> list[str]:
    """The help of one command, of a prefix, or of all; an unknown one is error 0, as it was recorded (domain §7.2)."""
    if name is not None:
        try:
            return [registry.find(name).line]
        except CommandError:
            raise CommandError(f"Command was not found: {name}", 0) from None
    listed: list[Any] = [c.line for c in registry.all() if prefix is None or c.name.startswith(f"{prefix}.")]
    return listed
