"""Runs a command on a host by the system's `ssh`, with a password and data for its standard input.

It stands for the admin share of a Windows host: whoever has an administrator's password may lay files there and start
an installer. As there, the host proves nothing to the caller: its key is not compared with anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from miniepo.errors import SilentError, UnreachableError
from miniepo.patience import within

SSH = "/usr/bin/ssh"
CONNECT_SECONDS = 5
_FAILED = 255
_FOLDERS = "miniepo-push-"
_OPTIONS = {
    "BatchMode": "no",
    "ConnectTimeout": str(CONNECT_SECONDS),
    "ConnectionAttempts": "1",
    "ForwardAgent": "no",
    "GlobalKnownHostsFile": "/dev/null",
    "LogLevel": "ERROR",
    "NumberOfPasswordPrompts": "1",
    "PreferredAuthentications": "password",
    "PubkeyAuthentication": "no",
    "StrictHostKeyChecking": "no",
    "UserKnownHostsFile": "/dev/null",
}


@dataclass(frozen=True, slots=True)
class Login:
    """An administrator of the host."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended on the host; `login_refused` if it did not come to that."""

    code: int
    error: str
    login_refused: bool = False


async def run(host: str, port: int, login: Login, command: str, data: bytes, limit_seconds: float) -> Ran:
    """Run a command there; raises UnreachableError if the host is not reached, SilentError after the time limit."""
    with tempfile.TemporaryDirectory(prefix=f"{_FOLDERS}{os.getpid()}-") as folder:
        words = _words(host, port, login.user, command)
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(Path(folder), login.password),
            start_new_session=True,
        )
        try:
            _, error = await within(process.communicate(data), limit_seconds)
        except TimeoutError as late:
            raise SilentError(f"{host}: not done within {limit_seconds:g} s") from late
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return _ended(host, process.returncode or 0, error.decode("utf-8", "replace").strip())


def forget_leftovers() -> None:
    """Remove the passwords that processes of this user left which were killed; this one may have none yet."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDERS}*"):
        with contextlib.suppress(FileNotFoundError):
            is_ours = folder.lstat().st_uid == os.getuid() and not folder.is_symlink()
            if is_ours and not _is_anothers(folder.name.removeprefix(_FOLDERS).partition("-")[0]):
                shutil.rmtree(folder, ignore_errors=True)


def _is_anothers(process: str) -> bool:
    """Whether a process other than this one has this number and lives."""
    return process.isascii() and process.isdigit() and int(process) != os.getpid() and Path(f"/proc/{process}").exists()


def _words(host: str, port: int, user: str, command: str) -> Sequence[str]:
    options = [word for name, value in _OPTIONS.items() for word in ("-o", f"{name}={value}")]
    return [SSH, "-F", "/dev/null", "-T", "-p", str(port), *options, "-l", user, "--", host, command]


def _environment(folder: Path, password: str) -> dict[str, str]:
    """`ssh` asks a program for the password, and that one finds it in a file that nobody else may read."""
    secret, ask = folder / "secret", folder / "ask"
    secret.touch(0o600)
    secret.write_text(f"{password}\n", encoding="utf-8")
    ask.write_text('#!/bin/sh\nexec cat "${0%/*}/secret"\n', encoding="ascii")
    ask.chmod(0o700)
    path = os.environ.get("PATH", "/usr/bin:/bin")
    return {"PATH": path, "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force", "HOME": str(folder)}


def _ended(host: str, code: int, error: str) -> Ran:
    """The outcome; `ssh` itself ends with 255, and what it says tells whether the host was there."""
    last = error.rpartition("\n")[2][-300:]
    if code == _FAILED and "Permission denied" in error:
        return Ran(code, last, login_refused=True)
    if code == _FAILED:
        raise UnreachableError(last.removeprefix("ssh: ").strip() or f"{host}: ssh failed")
    return Ran(code, last)
