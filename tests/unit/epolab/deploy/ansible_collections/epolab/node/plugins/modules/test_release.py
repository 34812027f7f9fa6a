"""Releases: unpacked once, switched atomically, old ones let go."""

import base64
import io
import tarfile
from pathlib import Path

import pytest

from epolab.deploy.ansible_collections.epolab.node.plugins.modules.release import apply


def archive(*names: str) -> str:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as target:
        for name in names:
            target.addfile(tarfile.TarInfo(name), io.BytesIO())
    return base64.b64encode(packed.getvalue()).decode()


class Compiler:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self, argv: list[str]) -> tuple[int, str, str]:
        self.runs += 1
        return 0, "", ""


def run(home: Path, digest: str, packed: str, compiler: Compiler | None = None, *, dry: bool = False) -> list[str]:
    wanted = {"digest": digest, "archive": packed, "wrapper": "#!/bin/sh\n"}
    return apply(wanted, compiler or Compiler(), dry=dry, home=home, wrapper=home / "miniepo")


def test_a_release_is_unpacked_once_and_the_one_in_use(tmp_path: Path) -> None:
    packed = archive("miniepo/cli.py", "miniepo/__pycache__/cli.cpython-311.pyc")
    assert run(tmp_path, "aa", packed) == ["unpacked", "in use", "wrapper"]
    assert run(tmp_path, "aa", packed) == []
    assert (tmp_path / "lib/miniepo/cli.py").exists()
    assert (tmp_path / "lib").readlink() == Path("releases/aa")
    assert (tmp_path / "miniepo").stat().st_mode & 0o111


def test_only_a_release_without_bytecode_is_compiled(tmp_path: Path) -> None:
    compiler = Compiler()
    run(tmp_path, "aa", archive("a.py", "__pycache__/a.cpython-311.pyc"), compiler)
    assert compiler.runs == 0
    run(tmp_path, "bb", archive("a.py"), compiler)
    assert compiler.runs == 1


def test_going_back_needs_no_unpacking_and_the_oldest_goes(tmp_path: Path) -> None:
    for digest in ("aa", "bb"):
        run(tmp_path, digest, archive("a.pyc"))
    assert run(tmp_path, "aa", archive("a.pyc")) == ["in use"]
    run(tmp_path, "cc", archive("a.pyc"))
    assert len(list((tmp_path / "releases").iterdir())) == 2
    assert (tmp_path / "lib/a.pyc").exists()


def test_an_empty_folder_of_the_image_makes_way(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    run(tmp_path, "aa", archive("a.pyc"))
    assert (tmp_path / "lib").is_symlink()


def test_a_dry_run_touches_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, "aa", archive("a.pyc"), dry=True) == ["unpacked", "in use", "wrapper"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd"])
def test_an_archive_that_reaches_outside_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="the archive holds"):
        run(tmp_path, "aa", archive(name))
    assert not (tmp_path / "releases/aa").exists()
