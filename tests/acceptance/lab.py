"""Driving the command line as a stranger would: the installed command, its exit code and its document."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
EPOLAB = ROOT / ".venv/bin/epolab"
TOPOLOGIES = ROOT / "topologies"


@dataclass(frozen=True)
class Spoken:
    """What one command said."""

    code: int
    document: Any
    text: str


@cache
def temporary() -> Path:
    """Where the commands under test put temporary files: theirs alone, so that whatever stays there is a leaving.

    Its path is short, because there are sockets in it.
    """
    folder = Path(tempfile.mkdtemp(prefix="at-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "EPOLAB_HOME": str(home), "TMPDIR": str(temporary()), "NO_COLOR": "1"}


def epolab(home: Path, *argv: str | Path, limit_seconds: float = 600) -> Spoken:
    """Run `epolab --json …` to its end."""
    ran = subprocess.run(
        [EPOLAB, "--json", *argv], capture_output=True, text=True, timeout=limit_seconds, env=environment(home)
    )
    document = json.loads(ran.stdout) if ran.stdout.strip() else None
    return Spoken(ran.returncode, document, ran.stderr[-8000:])


def succeed(home: Path, *argv: str | Path, limit_seconds: float = 600) -> Any:
    """Run a command that must succeed; gives its document."""
    spoken = epolab(home, *argv, limit_seconds=limit_seconds)
    assert spoken.code == 0, f"epolab {' '.join(map(str, argv))}: exit {spoken.code}\n{spoken.document}\n{spoken.text}"
    return spoken.document


def start(home: Path, *argv: str | Path) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own, so that a test can end it and all that it started."""
    return subprocess.Popen(
        [EPOLAB, *argv],
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def kill(process: subprocess.Popen[bytes], number: signal.Signals) -> str:
    """Send a signal to the command itself (SIGINT also goes to its group, as a terminal does); gives what it said."""
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    _, said = process.communicate(timeout=120)
    return said.decode(errors="replace")


def until(condition: Callable[[], bool], limit_seconds: float) -> bool:
    """Wait until a condition holds; gives whether it did within the limit."""
    end = time.monotonic() + limit_seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
