"""Which process is which on this host, and ending what a killed command left running."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from epolab.hands.until import until

SESSION_VARIABLE = "EPOLAB_SESSION"
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Creator:
    """A process named so that a later one with the same number is not taken for it."""

    host: str
    pid: int
    started: str

    def document(self) -> dict[str, Any]:
        """As it is recorded in the lab's fabric."""
        return asdict(self)


def started(pid: int) -> str | None:
    """When a process started, in ticks since boot; None if there is none (or only its zombie)."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def this_process() -> Creator:
    """Who we are."""
    pid = os.getpid()
    return Creator(socket.gethostname(), pid, started(pid) or "")


def is_alive(creator: Creator) -> bool:
    """Whether that process still runs; a process of another host is taken to be alive."""
    if creator.host != socket.gethostname():
        return True
    return started(creator.pid) == creator.started


def mark_session(folder: Path) -> None:
    """Mark this process' children, so that the next command can find them should we be killed."""
    me = this_process()
    os.environ[SESSION_VARIABLE] = f"{me.pid}:{me.started}:{folder}"


def _session_of(pid: str) -> tuple[Creator, str] | None:
    try:
        environment = (_PROC / pid / "environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    prefix = f"{SESSION_VARIABLE}=".encode()
    for entry in environment.split(b"\0"):
        if entry.startswith(prefix):
            number, start, folder = entry[len(prefix) :].decode(errors="replace").split(":", 2)
            return Creator(socket.gethostname(), int(number), start), folder
    return None


def _marked(folder: Path | None = None) -> list[tuple[int, Creator]]:
    """All other processes that carry a session mark (of this lab), each with the command that started it."""
    found = []
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            session = _session_of(entry.name)
            if session is not None and folder in (None, Path(session[1])):
                found.append((int(entry.name), session[0]))
    return found


def leftovers(folder: Path) -> list[int]:
    """The processes that a command on this lab started and did not live to end."""
    return [pid for pid, creator in _marked(folder) if not is_alive(creator) and started(pid) is not None]


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def end_leftovers(folder: Path) -> list[int]:
    """Kill them, and wait until they are gone."""
    ended = leftovers(folder)
    for pid in ended:
        _kill(pid)
    until(lambda: not leftovers(folder), what="ending what a killed command left running", limit_seconds=10)
    return ended


def end_children() -> None:
    """Kill what this command started and has not ended, and wait until it is gone."""
    me = this_process()
    marked = [entry for entry in _marked() if entry[1] == me]
    for pid, _ in marked:
        _kill(pid)
    until(
        lambda: not [pid for pid, _ in marked if started(pid) is not None],
        what="ending what this command started",
        limit_seconds=10,
    )
