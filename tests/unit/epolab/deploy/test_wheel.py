"""The release: the same from the same source, another from another, with bytecode that Python takes."""

import base64
import io
import tarfile
from pathlib import Path

import pytest

from epolab.deploy.wheel import build_release, source_digest

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "sample"
version = "1.0"
[tool.hatch.build.targets.wheel]
packages = ["src/sample"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "sample"
    (folder / "src/sample").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "src/sample/__init__.py").write_text("ANSWER = 42\n")
    (folder / "src/sample/query.sql").write_text("SELECT 1;\n")
    return folder


def members(archive: Path) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(archive.read_bytes())), mode="r:gz") as packed:
        return {member.name: packed.extractfile(member).read() for member in packed}  # type: ignore[union-attr]


def test_the_same_source_gives_the_same_bytes(project: Path, tmp_path: Path) -> None:
    one, two = (build_release(project, tmp_path / cache) for cache in ("one", "two"))
    assert one.digest == two.digest
    assert one.wheel.read_bytes() == two.wheel.read_bytes()
    assert one.archive.read_bytes() == two.archive.read_bytes()


def test_a_release_in_the_cache_is_not_built_again(project: Path, tmp_path: Path) -> None:
    first = build_release(project, tmp_path / "cache")
    first.archive.write_bytes(b"the cached one")
    assert build_release(project, tmp_path / "cache").archive.read_bytes() == b"the cached one"


def test_another_source_gives_another_digest_and_caches_do_not_count(project: Path) -> None:
    before = source_digest(project)
    (project / "src/sample/__pycache__").mkdir()
    (project / "src/sample/__pycache__/x.pyc").write_bytes(b"")
    assert source_digest(project) == before
    (project / "src/sample/query.sql").write_text("SELECT 2;\n")
    assert source_digest(project) != before


def test_the_archive_holds_sources_data_and_bytecode(project: Path, tmp_path: Path) -> None:
    held = members(build_release(project, tmp_path / "cache").archive)
    assert held["sample/__init__.py"] == b"ANSWER = 42\n"
    assert held["sample/query.sql"] == b"SELECT 1;\n"
    code = held["sample/__pycache__/__init__.cpython-311.pyc"]
    assert int.from_bytes(code[4:8], "little") == 0b01, "checked by hash, and never against the source"
