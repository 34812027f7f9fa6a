"""What the counterparts change in a component stands in its source, once: else a lab comes up first to tell."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MINIEPO = ROOT / "packages/miniepo/src/miniepo"
FILES = sorted((ROOT / "tests/acceptance").glob("*.py"))


def changes_in(file: Path) -> Iterator[tuple[str, str, str]]:
    """The changes that a test file writes down: a module, a text of it, and what that becomes."""
    names = vars(import_module(f"tests.acceptance.{file.stem}"))
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) == 3:
            match [value_of(part, names) for part in node.elts]:
                case [str(module), str(old), str(new)] if module.endswith(".py"):
                    yield module, old, new


def value_of(part: ast.expr, names: dict[str, object]) -> object:
    """The text of an expression over a module's names; None where it is of something else."""
    if any(isinstance(each, ast.Name) and each.id not in names for each in ast.walk(part)):
        return None
    if not isinstance(part, ast.Constant | ast.Name | ast.JoinedStr | ast.BinOp):
        return None
    return eval(compile(ast.Expression(part), "change", "eval"), dict(names))


CHANGES = [(file.name, *change) for file in FILES for change in changes_in(file)]


@pytest.mark.parametrize(("file", "module", "old", "new"), CHANGES)
def test_a_change_hits_its_source_once(file: str, module: str, old: str, new: str) -> None:
    assert (MINIEPO / module).read_text(encoding="utf-8").count(old) == 1 and old != new, file


def test_there_are_changes_to_look_at() -> None:
    assert len(CHANGES) > 20
