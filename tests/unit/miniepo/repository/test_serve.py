"""Which paths of a request name a file of the repository."""

from pathlib import Path

import pytest

from miniepo.repository.serve import answer, relative_path


@pytest.mark.parametrize(
    "path",
    [
        "/Software/../agent.key",
        "/Software/Current/../../agent.key",
        "/Software//etc/passwd",
        "/Software/",
        "/Software",
        "/etc/passwd",
        "/Software/.hidden",
        "/Software/Current/.a.gem.arriving",
        "/Software/a\\b",
        "/software/catalog.z",
        "/Software/" + "\u00e4" * 101,
        "/Software" + "/deep" * 1000,
    ],
)
def test_nothing_outside_the_root_is_named(path: str) -> None:
    assert relative_path(path) is None


def test_a_file_is_served_a_link_and_a_folder_are_not(tmp_path: Path) -> None:
    (tmp_path / "Current").mkdir()
    (tmp_path / "Current/a.gem").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert answer(tmp_path, "/Software/Current/a.gem").file == tmp_path / "Current/a.gem"
    assert [answer(tmp_path, f"/Software/{name}").status for name in ("link", "Current", "b.gem")] == [404] * 3
