"""The door to long programs: their output goes to a log file, and each line is shown while they run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from epolab.errors import CommandFailedError, ToolMissingError

LineSink = Callable[[str], None]


def run_logged(
    argv: Sequence[str],
    *,
    log: Path,
    on_line: LineSink | None = None,
    output: Path | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> None:
    """Run a program that must succeed; its messages go to `log`, its standard output to `output` or to the log too."""
    with ExitStack() as stack:
        journal = stack.enter_context(log.open("a"))
        result = stack.enter_context(output.open("wb")) if output else None
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=result or subprocess.PIPE,
                stderr=subprocess.PIPE if result else subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                cwd=folder,
                text=True,
                errors="replace",
            )
        except FileNotFoundError as error:
            raise ToolMissingError(f"{argv[0]} is not installed") from error
        stack.enter_context(process)
        lines = process.stderr if result else process.stdout
        assert lines is not None
        for line in lines:
            journal.write(line)
            if on_line:
                on_line(line.rstrip())
    if process.returncode != 0:
        raise CommandFailedError(
            f"{argv[0]} ended with {process.returncode}", hint=f"less {log}", evidence=last_lines(log)
        )


def last_lines(log: Path, count: int = 15) -> list[str]:
    """The end of a log."""
    return log.read_text(errors="replace").splitlines()[-count:]


def as_root(argv: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The same program run by root: as it is for root, else through sudo with these variables."""
    settings = [f"{name}={value}" for name, value in environment.items()]
    prefix = ["env", *settings] if os.geteuid() == 0 else ["sudo", "env", *settings]
    return [*prefix, *argv]
