"""The lab's own folder on this host: JSON documents written whole or not at all, locks, and where things lie."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epolab.errors import HomeUnusableError, LabBusyError
from epolab.hands.process import this_process
from epolab.hands.until import now, pause, seconds, stamp


def epolab_home() -> Path:
    """Where the labs of this user lie."""
    named = os.environ.get("EPOLAB_HOME")
    return Path(named).absolute() if named else Path.home() / ".local/share/epolab"


def cache_home() -> Path:
    """Where what can be made again lies."""
    named = os.environ.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path.home() / ".cache") / "epolab"


def write_private(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


def remove_tree(folder: Path) -> None:
    """Remove a folder and all in it; fine if there is none."""
    if folder.exists():
        shutil.rmtree(folder)


def remove_remains(lab: str = "*") -> None:
    """Remove what killed removals left of a lab's folder, or of all; a removal that still runs ends by itself."""
    labs = epolab_home() / "labs"
    for doomed in labs.glob(f".{lab}.removing.*"):
        if not Path("/proc", doomed.suffix[1:]).exists():
            remove_tree(doomed)
            for above in (labs, labs.parent):
                remove_if_empty(above)


def remove_if_empty(folder: Path) -> None:
    """Remove a folder that holds nothing; fine if it does, or if there is none."""
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.ENOENT, errno.EBUSY):
            raise


@dataclass(frozen=True, slots=True)
class LabFolder:
    """One lab's place: `${EPOLAB_HOME:-~/.local/share/epolab}/labs/<name>/`, for its owner's eyes only."""

    path: Path

    @classmethod
    def of(cls, lab: str) -> LabFolder:
        """The folder of a lab, which need not exist yet."""
        return cls(epolab_home() / "labs" / lab)

    @classmethod
    def all(cls) -> list[LabFolder]:
        """The folders that exist."""
        labs = epolab_home() / "labs"
        return [cls(path) for path in sorted(labs.iterdir()) if _is_lab(path)] if labs.is_dir() else []

    @property
    def name(self) -> str:
        """The lab's name."""
        return self.path.name

    @property
    def scratch(self) -> Path:
        """Where programs that work for the lab put passing files and sockets.

        It is short, because the path of a UNIX socket may have 107 bytes, and always the same for a lab, so that
        whoever removes the lab finds what a killed command left there.
        """
        name = hashlib.sha256(str(self.path).encode()).hexdigest()[:10]
        return Path(tempfile.gettempdir()) / f"epolab-{os.getuid()}-{name}"

    def make_scratch(self) -> Path:
        """Make the scratch folder anew, mode 0700."""
        remove_tree(self.scratch)
        self.scratch.mkdir(mode=0o700)
        return self.scratch

    def make(self) -> LabFolder:
        """Make the folder, mode 0700."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o700)
        except OSError as error:
            raise HomeUnusableError(f"{error.filename or self.path} cannot be made: {error.strerror}") from error
        return self

    def remove(self) -> None:
        """Remove the folder, and what an earlier, killed removal left of it; a fresh one may be made meanwhile."""
        remove_tree(self.scratch)
        if self.path.exists():
            self.path.rename(self.path.with_name(f".{self.name}.removing.{os.getpid()}"))
        for doomed in self.path.parent.glob(f".{self.name}.removing.*"):
            remove_tree(doomed)
        for above in (self.path.parent, self.path.parent.parent):
            remove_if_empty(above)

    def read_json(self, name: str) -> Any:
        """A document, or None if there is none or it is unreadable."""
        try:
            return json.loads((self.path / name).read_bytes())
        except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
            return None

    def write_json(self, name: str, value: Any) -> None:
        """Write a document whole or not at all."""
        write_private(self.path / name, json.dumps(value, indent=1).encode())

    @contextmanager
    def lock(
        self, name: str, *, wait_seconds: float = 0.0, on_wait: Callable[[str], None] | None = None, purpose: str = ""
    ) -> Iterator[None]:
        """Hold a lock of the lab; LabBusyError, naming the holder, when it does not come free in time."""
        path = self.path / "locks" / name
        descriptor = _acquire(path, wait_seconds, on_wait)
        try:
            _sign(descriptor, purpose)
            yield
        finally:
            os.close(descriptor)

    def is_locked(self, name: str) -> bool:
        """Whether a living process holds a lock of the lab."""
        path = self.path / "locks" / name
        if not path.exists():
            return False
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            return not _try_lock(descriptor)
        finally:
            os.close(descriptor)


def _is_lab(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(descriptor: int, purpose: str) -> None:
    """Say who holds a lock; on a full disk nobody can, and what holds it may be what makes room."""
    me = this_process().document() | {"since": stamp(now()), "purpose": purpose}
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(me).encode(), 0)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise


def _holder(descriptor: int) -> str:
    try:
        record = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {record['pid']} ({record['purpose'] or 'epolab'}, since {record['since']})"
    except (ValueError, KeyError, TypeError):
        return "another process"


def _acquire(path: Path, wait_seconds: float, on_wait: Callable[[str], None] | None) -> int:
    end, told = seconds() + wait_seconds, False
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise HomeUnusableError(f"{error.filename or path} cannot be written: {error.strerror}") from error
        if _try_lock(descriptor):
            if _is_same_file(descriptor, path):
                return descriptor
            os.close(descriptor)  # the lab was removed while we waited
            continue
        holder = _holder(descriptor)
        os.close(descriptor)
        if seconds() >= end:
            raise LabBusyError(f"the lab is held by {holder}", hint="wait for it to end, or end it")
        if on_wait is not None and not told:
            on_wait(f"waiting: the lab is held by {holder}")
            told = True
        pause(0.1)


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    here = os.fstat(descriptor)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
