"""Where parts of the agent keep small values by name, each put in one step: files of a directory, or lighter things."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

PRIVATE = 0o600


def replace_file(path: Path, data: bytes, mode: int = PRIVATE) -> None:
    """Put `data` at `path` in one step."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.touch(mode)
    fresh.chmod(mode)
    fresh.write_bytes(data)
    fresh.replace(path)


class Folder(Protocol):
    """Values by name. What was put is there after a kill; each operation may raise OSError."""

    def names(self) -> list[str]:
        """All names, in their order."""
        ...

    def read(self, name: str) -> bytes:
        """A value; raises FileNotFoundError."""
        ...

    def put(self, name: str, body: bytes) -> None:
        """Keep a value in place of the one of that name."""
        ...

    def rename(self, name: str, new: str) -> None:
        """Give a value another name."""
        ...

    def remove(self, name: str) -> None:
        """Drop a value; one that is not there is dropped already."""
        ...


class Directory:
    """A directory of the agent's own; what a kill left half written is removed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for unfinished in path.glob(".*.new"):
            unfinished.unlink()

    def names(self) -> list[str]:
        return sorted(path.name for path in self._path.iterdir() if path.is_file())

    def read(self, name: str) -> bytes:
        return (self._path / name).read_bytes()

    def put(self, name: str, body: bytes) -> None:
        replace_file(self._path / name, body)

    def rename(self, name: str, new: str) -> None:
        (self._path / name).rename(self._path / new)

    def remove(self, name: str) -> None:
        (self._path / name).unlink(missing_ok=True)
