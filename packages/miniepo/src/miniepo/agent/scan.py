"""The scan task: a simulated on-demand scan that reads and hashes every file below a folder and tells how far it is."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from miniepo.errors import TaskError
from miniepo.protocol.task_settings import ScanTask

CHUNK_BYTES = 256 * 1024
Told = Callable[[int, str], None]


async def scan(settings: ScanTask, told: Told) -> str:
    """Scan, telling the share of bytes that is behind; the summary. Raises TaskError where there is no folder."""
    files = _files(Path(settings.folder))
    total = sum(size for _, size in files)
    done = unreadable = 0
    for path, size in files:
        try:
            for _ in _hash(path):
                await asyncio.sleep(0)
        except OSError:
            unreadable += 1
        done += size
        told(percent(done, total), shown(path))
        await asyncio.sleep(settings.seconds / len(files))
    return f"{settings.folder}: {len(files)} files, {total} bytes, {unreadable} not readable, nothing found"


def shown(path: Path) -> str:
    """A path as text that can be sent: a name may be any bytes, and those that are no UTF-8 are shown as `\\xe9`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def percent(done: int, total: int) -> int:
    """The share of the work that is behind, in percent, rounded down."""
    return 100 if total == 0 else done * 100 // total


def _hash(path: Path) -> Iterator[str]:
    """A file's hash so far after each piece, so that the agent's other work can go on in between."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while data := file.read(CHUNK_BYTES):
            digest.update(data)
            yield digest.hexdigest()


def _files(folder: Path) -> list[tuple[Path, int]]:
    """Regular files below a folder with their sizes, sorted; links are not followed."""
    if not folder.is_dir():
        raise TaskError(f"there is no folder {folder} to scan")
    paths = sorted(Path(above) / name for above, _, names in os.walk(folder) for name in names)
    sizes = ((path, _size(path)) for path in paths)
    return [(path, size) for path, size in sizes if size is not None]


def _size(path: Path) -> int | None:
    """The size of a regular file; None for everything else, and for what has vanished meanwhile."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None
