"""What the comparison of the machine before and after a lab sees, and what it leaves to other programs."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.lab import temporary
from tests.acceptance.world import look, mounts_of

pytestmark = pytest.mark.acceptance


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with a home of their own, who has used ssh and has had labs before."""
    folder = tmp_path / "user"
    for path in (".ssh/known_hosts", ".cache/epolab/acceleration.json", ".cache/epolab/wheels/kept"):
        put(folder / path, "kept")
    monkeypatch.setenv("DOCKER_CONFIG", os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker")))
    monkeypatch.setenv("HOME", str(folder))
    return folder


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def new_files(file: Path, text: str, home: Path) -> list[str]:
    """What the comparison tells of a file, and the folders made for it, that was written between its two looks."""
    missing = [folder for folder in (file, *file.parents) if not folder.exists()]
    first = str([file, *missing][-1])
    before = look(home)
    try:
        put(file, text)
        return [seen for seen in look(home).left_since(before).get("files", []) if seen.startswith(first)]
    finally:
        for made in missing[-1:]:
            subprocess.run(["rm", "-r", made], check=True)


@pytest.mark.parametrize(
    "path",
    [
        "{user}/.ssh/config",
        "{user}/.docker/config.json",
        "{user}/.pulumi/plugins/one.lock",
        "{user}/.ansible/tmp/one",
        "{user}/.cache/epolab/wheels/.unfinished",
        "{user}/.local/share/epolab/labs/a/nodes.json",
        "{temporary}/deep/in/it",
        "{home}/labs/a/nodes.json",
        "/run/lock/deep/in/it",
    ],
)
def test_a_file_anywhere_a_lab_could_leave_one_is_seen(path: str, user: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    file = Path(path.format(user=user, temporary=temporary(), home=home))
    assert any(seen.split(" (")[0] == str(file) for seen in new_files(file, "words", home))


def test_a_line_more_in_a_file_of_the_user_is_seen(user: Path, tmp_path: Path) -> None:
    known = user / ".ssh/known_hosts"
    assert new_files(known, "kept and more", tmp_path / "home") == [f"{known} (13 bytes)"]


@pytest.mark.parametrize("place", ["/tmp", "/var/tmp", "/dev/shm", "{user}", "{user}/.config"])
def test_a_shared_folder_tells_ours_from_others(place: str, user: Path, tmp_path: Path) -> None:
    home, folder = tmp_path / "home", Path(place.format(user=user))
    folder.mkdir(exist_ok=True)
    word = f"{tmp_path.parent.name}-{tmp_path.name}".replace("epolab", "")
    named, told, others = folder / f"epolab-{word}", folder / f"one-{word}", folder / f"other-{word}"
    assert new_files(named, "words", home) == [str(named)]
    assert new_files(told, f"of {home}/labs/a", home) == [str(told)]
    assert new_files(told / "in" / "it", f"of {home}/labs/a", home) == [str(told)]
    assert new_files(others / "in" / "it", "words", home) == []


def test_what_is_made_once_for_all_labs_is_no_leaving(user: Path, tmp_path: Path) -> None:
    cache, home = user / ".cache/epolab", tmp_path / "home"
    assert new_files(cache / "wheels/miniepo-29c5026500338432-cpython-311/release.tar.gz.b64", "", home) == []
    assert new_files(cache / "images/node-4bd434875d8c/rootfs.tar", "", home) == []
    odd = cache / "images/left-4bd434875d8c"
    assert new_files(odd, "", home) == [str(odd)]


def test_a_second_mount_over_the_first_is_one_more() -> None:
    first = "41 27 0:30 / /srv/a rw,relatime shared:1 - tmpfs one rw"
    over, again = "42 41 0:31 / /srv/a rw - tmpfs two rw", "43 42 0:30 / /srv/a rw - tmpfs one rw"
    assert len(mounts_of(first)) == 1
    assert len(set(mounts_of(f"{first}\n{over}\n{again}\n"))) == 3
