"""How a step tells what it does; the command line decides how that looks."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears of steps and of what happens in them."""

    def begin(self, step: str) -> None:
        """A step begins."""

    def note(self, text: str) -> None:
        """Something happened in the step."""

    def warn(self, text: str) -> None:
        """Something that a person must know, however little else is shown."""

    def end(self, step: str, seconds: float, *, skipped: bool) -> None:
        """The step has ended well."""


class Silent:
    """Tells nobody."""

    def begin(self, step: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def warn(self, text: str) -> None:
        """Nothing."""

    def end(self, step: str, seconds: float, *, skipped: bool) -> None:
        """Nothing."""
