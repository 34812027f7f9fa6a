"""Ansible module: a miniepo release is unpacked, compiled and the one in use."""

from __future__ import annotations

import base64
import io
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule  # type: ignore[import-untyped]

DOCUMENTATION = r"""
module: release
short_description: A miniepo release is unpacked, compiled and the one in use
options:
  digest: {description: What the release is called., type: str, required: true}
  archive: {description: A tar archive compressed with gzip, in base64., type: str, required: true}
  wrapper: {description: The script that starts a component., type: str, required: true}
author: epolab
"""

ARGUMENTS: dict[str, dict[str, Any]] = {
    "digest": {"type": "str", "required": True},
    "archive": {"type": "str", "required": True},
    "wrapper": {"type": "str", "required": True},
}
HOME, WRAPPER, KEPT = Path("/opt/miniepo"), Path("/usr/local/bin/miniepo"), 2
PYTHON = str(HOME / "venv/bin/python")

Run = Callable[..., tuple[int, str, str]]


class ReleaseError(Exception):
    """The release could not be made usable."""


def unpack(archive: str, folder: Path, run: Run) -> None:
    """A release's folder with all that is in the archive, there whole or not at all."""
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(archive)), mode="r:gz") as packed:
        packed.extractall(fresh, members=[_ours(member) for member in packed])
    if not any(fresh.rglob("*.pyc")):
        compile_all(fresh, run)
    fresh.rename(folder)


def _ours(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A member that can only land below the folder; ValueError for any other."""
    path = Path(member.name)
    if not member.isfile() or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"the archive holds {member.name!r}")
    return member


def compile_all(folder: Path, run: Run) -> None:
    """Bytecode for everything; what is in a release never changes, so it is never checked against its source."""
    code, out, error = run([PYTHON, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)])
    if code != 0:
        raise ReleaseError(f"compileall: {(error or out).strip()}")


def use(folder: Path, link: Path) -> None:
    """Switch the link to the release, and let go of all but the last ones."""
    if link.is_dir() and not link.is_symlink():
        link.rmdir()  # an empty folder of the image makes way
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder.relative_to(link.parent))
    fresh.rename(link)
    others = [path for path in folder.parent.iterdir() if path != folder and path.is_dir()]
    for old in sorted(others, key=lambda path: path.stat().st_mtime)[: -(KEPT - 1)]:
        shutil.rmtree(old)


def apply(wanted: dict[str, str], run: Run, *, dry: bool, home: Path = HOME, wrapper: Path = WRAPPER) -> list[str]:
    """Make the release the one in use; says what was not so."""
    folder, link = home / "releases" / wanted["digest"], home / "lib"
    changes = []
    if not folder.is_dir():
        changes.append("unpacked")
        if not dry:
            unpack(wanted["archive"], folder, run)
    if not (link.is_symlink() and link.parent / link.readlink() == folder):
        changes.append("in use")
        if not dry:
            use(folder, link)
    if not wrapper.exists() or wrapper.read_text() != wanted["wrapper"]:
        changes.append("wrapper")
        if not dry:
            wrapper.write_text(wanted["wrapper"])
            wrapper.chmod(0o755)
    return changes


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        changes = apply(module.params, module.run_command, dry=module.check_mode)
    except (ReleaseError, OSError, ValueError, tarfile.TarError) as error:
        module.fail_json(msg=f"{type(error).__name__}: {error}", invocation={})
    module.exit_json(changed=bool(changes), changes=changes, invocation={})


if __name__ == "__main__":
    main()
