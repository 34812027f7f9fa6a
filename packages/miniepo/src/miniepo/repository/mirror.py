"""What a mirror lacks and what it has too much, by comparing Replica.logs; and how a directory gets its own.

Incremental replication copies only what is new in the master and missing in the target; full replication copies the
entire master; what the master does not list is deleted in the target (domain §3.3, §3.5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from miniepo.protocol.content import (
    CATALOG,
    PACKAGE_CATALOG,
    REPLICA_LOG,
    SITE_STAT,
    ReplicaFile,
    ReplicaLog,
    write_replica_log,
)

Tree = Mapping[str, ReplicaLog]
"""Replica.logs by directory, relative to the repository's root with `/` between parts; the root is ""."""


@dataclass(frozen=True, slots=True)
class Put:
    """Copy this file (path relative to the root) to the target."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove this file or directory in the target."""

    path: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything to do to a target, in an order that never lets it promise what it does not have yet: payload first,
    then package catalogs, then the site catalog and SiteStat.xml, then deletions."""

    puts: tuple[Put, ...]
    deletes: tuple[Delete, ...]

    @property
    def size(self) -> int:
        """Bytes to copy."""
        return sum(put.size for put in self.puts)


def compare(master: Tree, target: Tree, full: bool = False) -> Difference:
    """What makes `target` equal to `master`; with `full` every file is copied, whatever the target says."""
    there = {} if full else files_of(target)
    puts = [
        Put(path, file.size, file.sha256)
        for path, file in files_of(master).items()
        if path not in there or (there[path].size, there[path].sha256) != (file.size, file.sha256)
    ]
    return Difference(tuple(sorted(puts, key=_put_order)), tuple(_deletions(master, target)))


def files_of(tree: Tree) -> dict[str, ReplicaFile]:
    """Every file of a tree by its path."""
    return {join(folder, file.name): file for folder, log in tree.items() for file in log.files}


def join(folder: str, name: str) -> str:
    """A path below a folder; the root folder is ""."""
    return f"{folder}/{name}" if folder else name


def _put_order(put: Put) -> tuple[int, str]:
    name = put.path.rpartition("/")[2]
    last = {PACKAGE_CATALOG: 1, CATALOG: 2, SITE_STAT: 3}
    return (last.get(name, 0), put.path)


def _deletions(master: Tree, target: Tree) -> Iterator[Delete]:
    """Topmost things only: a deleted directory takes everything in it along."""
    known = set(master)
    for folder in sorted(target):
        if folder not in known:
            if folder.rpartition("/")[0] in known:
                yield Delete(folder)
            continue
        wanted = {file.name for file in master[folder].files}
        yield from (Delete(join(folder, file.name)) for file in target[folder].files if file.name not in wanted)


def read_tree(root: Path) -> dict[str, ReplicaLog]:
    """The Replica.logs that a directory should have, computed from what lies in it (every file is hashed)."""
    tree: dict[str, ReplicaLog] = {}
    _read_folder(root, "", tree)
    return tree


def _read_folder(root: Path, folder: str, tree: dict[str, ReplicaLog]) -> None:
    entries = sorted(entry for entry in (root / folder).iterdir() if not entry.name.startswith("."))
    files = tuple(_entry(each) for each in entries if each.is_file() and each.name != REPLICA_LOG)
    folders = tuple(each.name for each in entries if each.is_dir())
    tree[folder] = ReplicaLog(files, folders)
    for name in folders:
        _read_folder(root, join(folder, name), tree)


def _entry(path: Path) -> ReplicaFile:
    return ReplicaFile(path.name, path.stat().st_size, hash_file(path))


def hash_file(path: Path) -> str:
    """A file's SHA-256 in hex, read in pieces."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def write_logs(root: Path, tree: Tree) -> None:
    """Put each directory's Replica.log into it."""
    for folder, log in tree.items():
        path = root / folder / REPLICA_LOG
        fresh = path.with_name(f".{REPLICA_LOG}.new")
        fresh.write_text(write_replica_log(log.files, log.folders), encoding="utf-8")
        fresh.replace(path)
