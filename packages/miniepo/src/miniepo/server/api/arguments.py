"""How a call's words become arguments: by name in any case, by position as `param1`; system words have a colon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

from miniepo.errors import CommandError
from miniepo.server.api.framing import OUTPUTS

TOKEN = "orion.user.security.token"


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the command, its named arguments (names in lower case), uploaded files, and the output form.

    A file is its own name and its bytes.
    """

    command: str
    arguments: dict[str, str]
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    output: str = "terse"
    user: str = ""

    def made_by(self, user: str) -> Call:
        """The same call with the name of who made it."""
        return replace(self, user=user)

    def text(self, name: str, default: str | None = None) -> str:
        """An argument; CommandError if it must be there and is not."""
        value = self.arguments.get(name.lower(), default)
        if value is None:
            raise CommandError(f"the argument {name} is missing")
        return value

    def optional(self, name: str) -> str | None:
        """An argument, None when it was not given or is empty."""
        return self.arguments.get(name.lower()) or None

    def number(self, name: str, default: int | None = None) -> int:
        """An argument that is a whole number."""
        text = self.text(name, None if default is None else str(default))
        try:
            return int(text)
        except ValueError:
            raise CommandError(f"{name} must be a whole number, not {text!r}") from None

    def amount(self, name: str, default: float | None = None) -> float:
        """An argument that is a number from 0 on."""
        text = self.text(name, None if default is None else str(default))
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value < 1e9:
            raise CommandError(f"{name} must be a number from 0 on, not {text!r}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """An argument that is a switch; PowerShell sends `True` and `False` (domain §7.1)."""
        text = self.text(name, "true" if default else "false").lower()
        if text in ("true", "1", "yes"):
            return True
        if text in ("false", "0", "no", ""):
            return False
        raise CommandError(f"{name} must be true or false, not {text!r}")

    def names(self, name: str) -> list[str]:
        """An argument that is a list with commas."""
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def file(self, name: str) -> bytes:
        """An uploaded file: under its name, or the only one that came."""
        found = self.files.get(name.lower())
        if found is None and len(self.files) == 1:
            found = next(iter(self.files.values()))
        if found is None:
            raise CommandError(f"the file {name} is missing: send it as multipart/form-data")
        return found[1]


def command_of(path: str) -> str:
    """The command that a path names: its last part, with or without `.do` (domain §7.1)."""
    return path.rstrip("/").rpartition("/")[2].removesuffix(".do")


def pairs_of(query: str) -> list[tuple[str, str]]:
    """The words of a query string; empty parts are passed over."""
    return [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name]


def read_call(
    path: str, pairs: Sequence[tuple[str, str]], files: Mapping[str, tuple[str, bytes]], parameters: Sequence[str]
) -> Call:
    """A call from its words; `parameters` are the command's, in order, for those that came as `param1`, `param2`, …"""
    arguments: dict[str, str] = {}
    output = "terse"
    for name, value in pairs:
        lowered = name.lower()
        if lowered == ":output":
            output = value.lower()
        elif not lowered.startswith(":") and lowered != TOKEN:
            arguments[_named(lowered, parameters)] = value
    if output not in OUTPUTS:
        raise CommandError(f"the output form {output!r} is none of {', '.join(OUTPUTS)}")
    return Call(command_of(path), arguments, {name.lower(): data for name, data in files.items()}, output)


def _named(name: str, parameters: Sequence[str]) -> str:
    number = name.removeprefix("param")
    if name == number or not number.isdigit() or not 1 <= int(number) <= len(parameters):
        return name
    return parameters[int(number) - 1].lower()
