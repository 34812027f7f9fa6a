"""Where a command's words go: one JSON document or a person's text, progress on a terminal or plain lines elsewhere."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TextIO

from rich.console import Console
from rich.table import Table

from epolab.errors import OutputLostError

PLAIN_COLUMNS = 160


class _Console(Console):
    """A console that leaves it to the command what a reader that went away means."""

    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError("the reader has gone")


def _console(file: TextIO, plain: bool) -> Console:
    """A console; where there is no terminal, lines are as long as a table needs."""
    width = None if file.isatty() else PLAIN_COLUMNS
    return _Console(file=file, highlight=False, no_color=plain, soft_wrap=True, width=width)


@contextmanager
def delivered() -> Iterator[None]:
    """What cannot be written is an error of its own, not a mistake of whoever wrote it."""
    try:
        yield
    except OSError as error:
        raise OutputLostError(f"the output cannot be written: {error.strerror or error}") from error


class Output:
    """What a verb speaks through; `document` is held until the end so that an error can be put beside it."""

    def __init__(self, *, json_wanted: bool, verbose: bool, stdout: TextIO | None = None, stderr: TextIO | None = None):
        self.json_wanted = json_wanted
        self.verbose = verbose
        self._stdout = stdout or sys.stdout
        self._stderr = stderr or sys.stderr
        plain = "NO_COLOR" in os.environ
        self.people = _console(self._stderr, plain)
        self.results = _console(self._stdout, plain)
        self._document: Any = None

    def document(self, value: Any) -> None:
        """Hold the verb's JSON document (an object or a list); written once, when the verb has ended."""
        self._document = value

    def say(self, text: str) -> None:
        """A line for a person, on standard error."""
        self._print(self.people, text)

    def detail(self, text: str) -> None:
        """A line for a person who asked for more (`-v`)."""
        if self.verbose:
            self.say(text)

    def show(self, text: str) -> None:
        """The command's result for a person; standard output belongs to the document when there is one."""
        self._print(self.people if self.json_wanted else self.results, text)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """The command's result for a person, as a table."""
        table = Table(*columns, title=title or None, title_justify="left", box=None, pad_edge=False)
        for row in rows:
            table.add_row(*row)
        self._print(self.people if self.json_wanted else self.results, table)

    def finish(self, error: Mapping[str, Any] | None = None) -> None:
        """Write the one document, with the error in it if there is one; see that everything has gone out."""
        document = self._document
        if error is not None:
            document = {**(document if isinstance(document, dict) else {}), "error": dict(error)}
        with delivered():
            if self.json_wanted:
                self._stdout.write(json.dumps(document, indent=2) + "\n")
            self._stdout.flush()

    def give_up(self, text: str) -> None:
        """A last line for a person; what standard output still holds goes nowhere."""
        with suppress(OSError):
            os.write(self._stderr.fileno(), text.encode() + b"\n")
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stdout.fileno())

    @staticmethod
    def _print(console: Console, thing: str | Table) -> None:
        with delivered():
            console.print(thing, markup=False)
