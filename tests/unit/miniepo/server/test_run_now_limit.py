"""How the limit of Run Client Task Now is read and first written."""

from __future__ import annotations

from pathlib import Path

import pytest

from miniepo.errors import ConfigError
from miniepo.server.run_now_limit import DEFAULT, PROPERTY, Limit, parse


def test_properties_are_read_with_comments_and_both_signs() -> None:
    text = "# a comment\n! another\n\n a.b = 1\nc:2\nd=x=y\nempty\n"
    assert parse(text) == {"a.b": "1", "c": "2", "d": "x=y", "empty": ""}


def test_the_file_is_written_once_and_read_at_each_look(tmp_path: Path) -> None:
    limit = Limit(tmp_path / "server")
    limit.prepare()
    assert limit.path == tmp_path / "server/conf/epo/epo.properties"
    assert (limit.read(), parse(limit.path.read_text())) == (999, {"clienttask.runnow.system.limit": "999"})
    limit.path.write_text(f"{PROPERTY}=3\n")
    limit.prepare()
    assert limit.read() == 3


@pytest.mark.parametrize("value", ["many", "-1", "", "١٢", "9" * 10, "9" * 5000])
def test_a_value_that_cannot_be_understood_leaves_the_published_limit(tmp_path: Path, value: str) -> None:
    limit = Limit(tmp_path)
    assert limit.read() == DEFAULT
    limit.path.parent.mkdir(parents=True)
    limit.path.write_text(f"{PROPERTY}={value}\n")
    assert limit.read() == DEFAULT


def test_the_file_is_latin_1(tmp_path: Path) -> None:
    limit = Limit(tmp_path)
    limit.prepare()
    limit.path.write_bytes(f"# größer\n{PROPERTY}=7\n".encode("latin-1"))
    assert limit.read() == 7


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "conf").write_text("in the way")
    with pytest.raises(ConfigError, match="conf/epo"):
        Limit(tmp_path).prepare()
