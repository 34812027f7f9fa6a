"""Progress for a person: a moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.status import Status

from epolab.cli.output import Output


class PeopleProgress:
    """Shows steps as they begin and end; what happens within one is shown on a terminal, or everywhere with `-v`."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._status: Status | None = None
        self._step = ""

    def __enter__(self) -> Self:
        if self._out.people.is_terminal:
            self._status = self._out.people.status("")
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._status is not None:
            self._status.stop()

    def begin(self, step: str) -> None:
        """A step begins."""
        self._step = step
        if self._status is None:
            self._out.say(f"{step} ...")
        else:
            self._status.update(step)

    def note(self, text: str) -> None:
        """Something happened in the step."""
        if self._status is not None:
            self._status.update(f"{self._step}: {text}".replace("[", r"\["))
        self._out.detail(f"  {text}")

    def warn(self, text: str) -> None:
        """Something that a person must know, however little else is shown."""
        self._out.say(text)

    def end(self, step: str, seconds: float, *, skipped: bool) -> None:
        """The step has ended well."""
        self._out.say(f"{step}: nothing to do" if skipped else f"{step}: {seconds:.1f} s")
