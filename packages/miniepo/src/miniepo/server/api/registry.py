"""The commands there are: their names, arguments, help, and what runs them."""

from __future__ import annotations

import textwrap
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from miniepo.errors import CommandError
from miniepo.server.api.arguments import Call

UNKNOWN = 1
"""The error number of a command that does not exist (domain §7.2)."""

Run = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `parameters` are written as help shows them: `name`, `[name]` optional, `name=<>` by name only.

    `element` is the path of XML elements around one entry of its list.
    """

    name: str
    parameters: tuple[str, ...]
    description: str
    run: Run
    element: str = "element"

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The bare names, in order."""
        return tuple(parameter.strip("[]").removesuffix("=<>") for parameter in self.parameters)

    @property
    def line(self) -> str:
        """The command's line in core.help: a space after the name, ` - ` before the description (domain §7.2)."""
        head = " ".join([self.name, *self.parameters])
        wrapped = textwrap.wrap(f"{head} - {self.description}", 80, break_on_hyphens=False)
        text = "\r\n".join(wrapped)
        return text if " - " in text else f"{head} - {self.description}"


class Registry:
    """Finds commands by name, in any case."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._commands = {command.name.lower(): command for command in commands}

    def find(self, name: str) -> Command:
        """The command of a name; CommandError if there is none."""
        command = self._commands.get(name.lower())
        if command is None:
            raise CommandError(f"No such command: {name}", UNKNOWN)
        return command

    def all(self) -> list[Command]:
        """All commands, by name."""
        return [self._commands[name] for name in sorted(self._commands)]
