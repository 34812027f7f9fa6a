"""The files that go into an image, read once, and as an archive whose bytes depend on nothing but their content."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

EPOCH = 1735689600  # all times in an image, so that the same recipe gives the same bytes
_LEFT_OUT = {"__pycache__", ".gitkeep", ".mypy_cache"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or symbolic link; `path` is where it goes, without a leading slash."""

    path: str
    data: bytes
    executable: bool = False
    link: str = ""

    @property
    def digest(self) -> str:
        """What makes this entry what it is."""
        kind = f"link {self.link}" if self.link else ("program" if self.executable else "file")
        return f"{self.path} {kind} {hashlib.sha256(self.data).hexdigest()}"


def read_tree(folder: Path, target: str = "/") -> tuple[Entry, ...]:
    """All files below a folder, in order; none if there is no such folder."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    wanted = sorted(path for path in found if not _LEFT_OUT.intersection(path.relative_to(folder).parts))
    return tuple(_entry(path, PurePosixPath(target, path.relative_to(folder).as_posix())) for path in wanted)


def _entry(path: Path, target: PurePosixPath) -> Entry:
    place = target.as_posix().lstrip("/")
    if path.is_symlink():
        return Entry(place, b"", link=str(path.readlink()))
    return Entry(place, path.read_bytes(), executable=bool(path.stat().st_mode & 0o100))


def archive(entries: Iterable[Entry]) -> bytes:
    """A tar of the entries and their folders, all owned by root."""
    buffer = io.BytesIO()
    seen: set[str] = set()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for entry in entries:
            for parent in reversed(PurePosixPath(entry.path).parents[:-1]):
                if parent.as_posix() not in seen:
                    seen.add(parent.as_posix())
                    tar.addfile(_member(parent.as_posix(), tarfile.DIRTYPE, 0o755))
            tar.addfile(*_member_of(entry))
    return buffer.getvalue()


def _member_of(entry: Entry) -> tuple[tarfile.TarInfo, io.BytesIO | None]:
    if entry.link:
        member = _member(entry.path, tarfile.SYMTYPE, 0o777)
        member.linkname = entry.link
        return member, None
    member = _member(entry.path, tarfile.REGTYPE, 0o755 if entry.executable else 0o644)
    member.size = len(entry.data)
    return member, io.BytesIO(entry.data)


def _member(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.type, member.mode, member.mtime, member.uname, member.gname = kind, mode, EPOCH, "root", "root"
    return member
