"""Directories, files and links: made once, mended when they differ, left alone when they do not."""

import os
import pwd
from pathlib import Path

import pytest

from epolab.deploy.ansible_collections.epolab.node.plugins.modules.files import Changes, apply

ME = pwd.getpwuid(os.getuid()).pw_name


def wanted(tmp_path: Path, **more: object) -> dict[str, object]:
    file = {"path": str(tmp_path / "etc/a.json"), "content": "{}\n", "owner": ME, "mode": "0400"}
    return {
        "directories": [{"path": str(tmp_path / "etc"), "owner": ME, "mode": "0711"}],
        "files": [file],
        "links": [{"path": str(tmp_path / "link"), "target": "etc/a.json"}],
        "absent": [],
        **more,
    }


def run(arguments: dict[str, object], *, dry: bool = False) -> list[str]:
    changes = Changes(dry=dry)
    apply(arguments, changes)
    return [Path(path).name for path in changes.paths]


def test_everything_is_made_and_the_second_time_nothing_differs(tmp_path: Path) -> None:
    assert run(wanted(tmp_path)) == ["etc", "a.json", "link"]
    assert (tmp_path / "link").read_text() == "{}\n"
    assert (tmp_path / "etc/a.json").stat().st_mode & 0o777 == 0o400
    assert (tmp_path / "etc").stat().st_mode & 0o777 == 0o711
    assert run(wanted(tmp_path)) == []


def test_only_what_differs_is_mended(tmp_path: Path) -> None:
    run(wanted(tmp_path))
    (tmp_path / "etc/a.json").chmod(0o644)
    assert run(wanted(tmp_path)) == ["a.json"]
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("elsewhere")
    assert run(wanted(tmp_path)) == ["link"]


def test_a_dry_run_says_what_differs_and_touches_nothing(tmp_path: Path) -> None:
    assert run(wanted(tmp_path), dry=True) == ["etc", "a.json", "link"]
    assert list(tmp_path.iterdir()) == []


def test_a_link_where_a_file_must_be_is_replaced_and_its_target_kept(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "other").write_text("kept")
    (tmp_path / "etc/a.json").symlink_to(tmp_path / "other")
    run(wanted(tmp_path))
    assert not (tmp_path / "etc/a.json").is_symlink()
    assert (tmp_path / "other").read_text() == "kept"


def test_what_must_be_absent_goes(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("")
    assert run(wanted(tmp_path, absent=[str(tmp_path / "old")]))[-1] == "old"
    assert not (tmp_path / "old").exists()


def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown keys \['modus'\]"):
        run(wanted(tmp_path, files=[{"path": "/x", "content": "", "modus": "0400"}]))
