"""Queries are cut out of their files by name, with fragments filled in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from miniepo.store import queries

SOURCES = Path(queries.__file__).parent


def test_fragments_are_filled_in() -> None:
    parsed = queries.parse("-- name: base\nSELECT 1\n\n-- name: one\n{base} WHERE x = '{}';\n")
    assert parsed["one"] == "SELECT 1 WHERE x = '{}'"


def used() -> list[str]:
    texts = (path.read_text() for path in SOURCES.glob("*.py"))
    return sorted({match for text in texts for match in re.findall(r'"(\w+/\w+)"', text)})


@pytest.mark.parametrize("name", used())
def test_every_query_that_is_called_exists(name: str) -> None:
    assert queries.query(name)


def test_every_query_that_exists_is_called() -> None:
    nouns = (path.stem for path in (SOURCES / "sql" / "queries").glob("*.sql"))
    written = {f"{noun}/{name}" for noun in nouns for name, sql in queries.of_noun(noun).items()}
    fragments = {"leaf/system", "handler/handler", "repository/repository", "subtask/columns"}
    assert written - fragments == set(used())
