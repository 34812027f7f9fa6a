"""The miniepo release that nodes run: the wheel, built the same from the same source, unpacked with its bytecode.

The wheel is built offline and kept by the digest of its source. What goes to the nodes is an archive of the wheel's
files together with their bytecode: compiling once here costs a tenth of compiling once on each of twenty nodes.
Bytecode is only of use to the nodes' Python if this one writes the same; where it does not, the role compiles.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import importlib.util
import io
import py_compile
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from hatchling.builders.wheel import WheelBuilder

from epolab.hands.files import cache_home, write_private

NODE_CACHE_TAG = "cpython-311"
NODE_MAGIC = (3495).to_bytes(2, "little") + b"\r\n"
DIGEST_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Release:
    """A miniepo release: the wheel, the archive (in base64) that nodes unpack, and the digest that names both."""

    digest: str
    wheel: Path
    archive: Path


def source_digest(project: Path) -> str:
    """What a distribution's source amounts to; caches and dot files do not count."""
    hashed = hashlib.sha256()
    for path in _sources(project):
        hashed.update(f"{path.relative_to(project).as_posix()}\0".encode())
        hashed.update(hashlib.sha256(path.read_bytes()).digest())
    return hashed.hexdigest()[:DIGEST_LENGTH]


def _sources(project: Path) -> Iterator[Path]:
    yield project / "pyproject.toml"
    for path in sorted((project / "src").rglob("*")):
        hidden = any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(project).parts)
        if path.is_file() and not hidden and not path.match("*.egg-info/*"):
            yield path


def build_release(project: Path, cache: Path | None = None) -> Release:
    """The release of a distribution's present source, from the cache if it is there."""
    digest = source_digest(project)
    folder = (cache or cache_home() / "wheels") / f"{project.name}-{digest}-{_bytecode()}"
    archive = folder / "release.tar.gz.b64"
    if not archive.exists():
        _build(project, folder, archive)
    return Release(digest, next(folder.glob("*.whl")), archive)


def _bytecode() -> str:
    return NODE_CACHE_TAG if importlib.util.MAGIC_NUMBER == NODE_MAGIC else "source"


def _build(project: Path, folder: Path, archive: Path) -> None:
    with TemporaryDirectory(prefix="epolab-wheel-") as scratch:
        built = next(iter(WheelBuilder(str(project)).build(directory=scratch, versions=["standard"])))
        wheel = Path(built).read_bytes()
        write_private(folder / Path(built).name, wheel, 0o644)
        write_private(archive, base64.b64encode(archived(wheel, Path(scratch))), 0o644)


def archived(wheel: bytes, scratch: Path) -> bytes:
    """The files of a wheel as a tar archive, with bytecode where it is of use; the same bytes for the same wheel."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(wheel)) as source,
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, compresslevel=6) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w", format=tarfile.PAX_FORMAT) as target,
    ):
        for name in sorted(source.namelist()):
            _add(target, name, source.read(name))
            if name.endswith(".py") and _bytecode() == NODE_CACHE_TAG:
                _add(target, _cached(name), _compiled(name, source.read(name), scratch))
    return packed.getvalue()


def _add(target: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o644, 315532800  # the earliest time a wheel can hold
    target.addfile(entry, io.BytesIO(content))


def _cached(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.parent / "__pycache__" / f"{path.stem}.{NODE_CACHE_TAG}.pyc")


def _compiled(name: str, source: bytes, scratch: Path) -> bytes:
    """Bytecode that the node takes as it is: the release's folder never changes, so nothing is compared."""
    text, code = scratch / "module.py", scratch / "module.pyc"
    text.write_bytes(source)
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(
        str(text), str(code), dfile=f"/opt/miniepo/lib/{name}", doraise=True, invalidation_mode=unchecked
    )
    return code.read_bytes()
