"""Ansible module: directories, files and links are on the node with their content, owner and mode, in one step."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule  # type: ignore[import-untyped]

DOCUMENTATION = r"""
module: files
short_description: Directories, files and links are there
description:
  - Makes a set of paths true in one step; a file is written whole or not at all.
options:
  directories:
    description: Paths, or mappings of C(path), C(owner), C(group), C(mode).
    type: list
    elements: raw
    default: []
  files:
    description: Mappings of C(path), C(content), C(owner), C(group), C(mode).
    type: list
    elements: dict
    default: []
  links:
    description: Mappings of C(path) and C(target).
    type: list
    elements: dict
    default: []
  absent:
    description: Files and links that must not be there.
    type: list
    elements: path
    default: []
author: epolab
"""

ARGUMENTS: dict[str, dict[str, Any]] = {
    "directories": {"type": "list", "elements": "raw", "default": []},
    "files": {"type": "list", "elements": "dict", "default": []},
    "links": {"type": "list", "elements": "dict", "default": []},
    "absent": {"type": "list", "elements": "path", "default": []},
}
KEYS = {"path", "content", "owner", "group", "mode", "target"}


class Changes:
    """The paths that were not as they must be; nothing is touched when `dry`."""

    def __init__(self, *, dry: bool) -> None:
        self.dry = dry
        self.paths: list[str] = []

    def note(self, path: Path) -> bool:
        """Record a path; says whether to act."""
        if str(path) not in self.paths:
            self.paths.append(str(path))
        return not self.dry


def known(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The entry, which must have no key that nobody reads."""
    unknown = set(entry) - KEYS
    if unknown or "path" not in entry:
        raise ValueError(f"{entry.get('path', 'an entry without path')}: unknown keys {sorted(unknown)}")
    return entry


def ownership(entry: Mapping[str, Any]) -> tuple[int, int]:
    """The numbers of the owner and the group; the group is the owner's own if it is not named."""
    owner = pwd.getpwnam(entry.get("owner", "root"))
    named = entry.get("group")
    return owner.pw_uid, grp.getgrnam(named).gr_gid if named else owner.pw_gid


def permit(path: Path, entry: Mapping[str, Any], default_mode: str, changes: Changes) -> None:
    """Give a path its owner, group and mode."""
    uid, gid = ownership(entry)
    mode = int(str(entry.get("mode", default_mode)), 8)
    if not path.exists():
        return
    seen = path.stat()
    if (seen.st_uid, seen.st_gid) != (uid, gid) and changes.note(path):
        os.chown(path, uid, gid)
    if stat.S_IMODE(path.stat().st_mode) != mode and changes.note(path):
        path.chmod(mode)


def make_directory(entry: Any, changes: Changes) -> None:
    """A directory is there; those above it too."""
    wanted = known({"path": entry} if isinstance(entry, str) else entry)
    path = Path(wanted["path"])
    if not path.is_dir() and changes.note(path):
        path.mkdir(parents=True)
    permit(path, wanted, "0755", changes)


def write_file(entry: Mapping[str, Any], changes: Changes) -> None:
    """A file has its content."""
    path, content = Path(known(entry)["path"]), str(entry["content"]).encode()
    same = path.is_file() and not path.is_symlink() and path.read_bytes() == content
    if not same and changes.note(path):
        replace(path, content, entry)
    permit(path, entry, "0644", changes)


def replace(path: Path, content: bytes, entry: Mapping[str, Any]) -> None:
    """Write a file beside its place, private until its owner and mode are set, and move it there."""
    fresh = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    os.chown(fresh, *ownership(entry))
    fresh.chmod(int(str(entry.get("mode", "0644")), 8))
    fresh.rename(path)


def make_link(entry: Mapping[str, Any], changes: Changes) -> None:
    """A symbolic link has its target; the switch from an old target is atomic."""
    path, target = Path(known(entry)["path"]), str(entry["target"])
    if path.is_symlink() and str(path.readlink()) == target:
        return
    if changes.note(path):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()  # an empty one makes way; a full one is not ours to remove
        fresh = path.with_name(f".{path.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(target)
        fresh.rename(path)


def remove(name: str, changes: Changes) -> None:
    """A file or link is not there."""
    path = Path(name)
    if (path.exists() or path.is_symlink()) and changes.note(path):
        path.unlink()


def apply(arguments: Mapping[str, Any], changes: Changes) -> None:
    """Make everything true, directories first."""
    for entry in arguments["directories"]:
        make_directory(entry, changes)
    for entry in arguments["files"]:
        write_file(entry, changes)
    for entry in arguments["links"]:
        make_link(entry, changes)
    for name in arguments["absent"]:
        remove(name, changes)


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    changes = Changes(dry=module.check_mode)
    try:
        apply(module.params, changes)
    except (OSError, KeyError, ValueError) as error:
        module.fail_json(msg=f"{type(error).__name__}: {error}", invocation={})
    module.exit_json(changed=bool(changes.paths), paths=changes.paths, invocation={})


if __name__ == "__main__":
    main()
