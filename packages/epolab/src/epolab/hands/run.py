"""The door to other programs: run one to its end, or keep one open as a stream of lines."""

from __future__ import annotations

import select
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from epolab.errors import CommandFailedError, TimeoutExceededError, ToolMissingError


@dataclass(frozen=True, slots=True)
class Completed:
    """How a program ended."""

    exit_code: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.stdout.decode(errors="replace")

    @property
    def complaint(self) -> str:
        """The end of what it said on standard error, else on standard output."""
        return (self.stderr or self.stdout).decode(errors="replace").strip()[-2000:]


def run(
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    limit_seconds: float | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Completed:
    """Run a program to its end, whatever its exit code."""
    try:
        done = subprocess.run(
            list(argv),
            input=stdin,
            capture_output=True,
            timeout=limit_seconds,
            cwd=folder,
            env=None if environment is None else dict(environment),
            check=False,
        )
    except FileNotFoundError as error:
        raise ToolMissingError(f"{argv[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise TimeoutExceededError(f"{argv[0]} did not end within {limit_seconds} s") from error
    return Completed(done.returncode, done.stdout, done.stderr)


def run_checked(argv: Sequence[str], *, stdin: bytes = b"", limit_seconds: float | None = None) -> Completed:
    """Run a program that must succeed."""
    done = run(argv, stdin=stdin, limit_seconds=limit_seconds)
    if done.exit_code != 0:
        raise CommandFailedError(f"{argv[0]} ended with {done.exit_code}", evidence=done.complaint.splitlines()[-10:])
    return done


def run_attached(argv: Sequence[str]) -> int:
    """Run a program on this terminal and give its exit code."""
    try:
        return subprocess.run(list(argv), check=False).returncode
    except FileNotFoundError as error:
        raise ToolMissingError(f"{argv[0]} is not installed") from error


def is_reader_gone(descriptor: int = 1) -> bool:
    """Whether nobody reads any more from the pipe that we (and what runs on this terminal) write to."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


class ProgramStream:
    """A running program that is spoken to by lines."""

    def __init__(self, argv: Sequence[str]) -> None:
        try:
            self._process = subprocess.Popen(
                list(argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except FileNotFoundError as error:
            raise ToolMissingError(f"{argv[0]} is not installed") from error

    def write(self, data: bytes) -> None:
        """Send bytes at once; BrokenPipeError when the program is gone."""
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def read_line(self, limit_seconds: float | None = None) -> bytes:
        """The next line with its end, or b"" when the program has closed its output.

        TimeoutExceededError, and the program is killed, when the line does not come in time.
        """
        assert self._process.stdout is not None
        if limit_seconds is None:
            return self._process.stdout.readline()
        too_late = threading.Event()
        watch = threading.Timer(limit_seconds, self._give_up, [too_late])
        watch.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watch.cancel()
        if too_late.is_set() and not line.endswith(b"\n"):
            raise TimeoutExceededError(f"no answer within {limit_seconds} s")
        return line

    def _give_up(self, too_late: threading.Event) -> None:
        too_late.set()
        self._process.kill()

    def complaint(self) -> str:
        """What the program said on standard error; call it when the output has ended."""
        assert self._process.stderr is not None
        return self._process.stderr.read().decode(errors="replace").strip()[-2000:]

    def close(self) -> None:
        """End the program: close its input, and kill it if that is not enough."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # the program has ended before us, which is what we want
            self._process.stdin.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()
