"""The agent package: what a push lays on a node and runs there, made by the handler from its own release."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path

SCRIPTS = ("install.sh", "uninstall.sh", "cmdagent.run", "cmamesh.run", "miniepo")
FQDN = "@FQDN@"
"""Stands in the agent's configuration for the host's full name, which the installer asks the host for."""


def agent_settings(computer_name: str, asci_seconds: float) -> bytes:
    """`agent.json` of an agent that is to be installed; all else has its defaults."""
    settings = {
        "computer_name": computer_name,
        "fqdn": FQDN,
        "asci_seconds": asci_seconds,
        "first_call_within_seconds": 1,
        "certificate": "/etc/miniepo/tls/agent.pem",
        "key": "/etc/miniepo/tls/agent.key",
    }
    return json.dumps(settings, indent=2).encode() + b"\n"


def read_and_build(release: str, paths: Mapping[str, str], files: Mapping[str, bytes]) -> bytes:
    """The package with the release in use and some files of this node, by the names that they have in it."""
    read = {name: Path(path).read_bytes() for name, path in paths.items()}
    return build(Path(release).resolve(), {**files, **read})


def build(release: Path, files: Mapping[str, bytes]) -> bytes:
    """The package as a tar archive: the scripts, the release in `release/`, and `files` by their names."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, compresslevel=1) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, data in (*_scripts(), *_release(release), *files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o600
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def _scripts() -> Iterator[tuple[str, bytes]]:
    folder = resources.files("miniepo.handler").joinpath("package")
    for name in SCRIPTS:
        yield name, folder.joinpath(name).read_bytes()


def _release(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"release/{path.relative_to(folder).as_posix()}", path.read_bytes()
