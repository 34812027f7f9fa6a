"""Which SQL belongs to which name: `sql/queries/<noun>.sql`, cut at its `-- name:` lines.

`{fragment}` stands for another query of the same file, for example a SELECT list that several queries share.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_FRAGMENT = re.compile(r"\{(\w+)\}")


def read_sql(folder: str, name: str) -> str:
    """The text of a file below `sql/`."""
    return files(__package__).joinpath("sql", folder, name).read_text(encoding="utf-8")


def parse(text: str) -> Mapping[str, str]:
    """The queries of a file's text by name, fragments filled in."""
    parts = _NAME.split(text)
    queries = {name: sql.strip().removesuffix(";") for name, sql in zip(parts[1::2], parts[2::2], strict=True)}
    return {name: _FRAGMENT.sub(lambda match: queries[match[1]], sql) for name, sql in queries.items()}


@cache
def of_noun(noun: str) -> Mapping[str, str]:
    """The queries of one noun."""
    return parse(read_sql("queries", f"{noun}.sql"))


def query(path: str) -> str:
    """The SQL of `<noun>/<name>`."""
    noun, _, name = path.partition("/")
    return of_noun(noun)[name]
