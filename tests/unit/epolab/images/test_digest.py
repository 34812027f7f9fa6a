"""A digest changes with all that decides what is in an image, and with nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from epolab.images.digest import digest, short
from epolab.images.recipe import Container, PythonPackages, Recipe, Tree

Change = Callable[[Recipe, Path], Recipe]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for path, text in {"node.lock": "h11==1", "images/node/files/etc/motd": "hello", "code/a.py": "a = 1"}.items():
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return tmp_path


@pytest.fixture
def recipe(repository: Path) -> Recipe:
    return Recipe(
        name="node",
        folder=repository / "images/node",
        container=Container(command=("/init",), environment={"A": "1", "B": "2"}),
        suite="bookworm",
        packages=("runit",),
        python=PythonPackages("3.11", "node.lock", "/opt/venv"),
        trees=(Tree("code", "/opt/code"),),
    )


def write(path: str, text: str, mode: int = 0o644) -> Change:
    def change(recipe: Recipe, repository: Path) -> Recipe:
        (repository / path).write_text(text)
        (repository / path).chmod(mode)
        return recipe

    return change


CHANGES: dict[str, Change] = {
    "a package": lambda recipe, _: replace(recipe, packages=("runit", "curl")),
    "a finishing command": lambda recipe, _: replace(recipe, finish=("true",)),
    "the start": lambda recipe, _: replace(recipe, container=Container(command=("/other",))),
    "the suite": lambda recipe, _: replace(recipe, suite="trixie"),
    "the Python lock": write("node.lock", "h11==2"),
    "a file": write("images/node/files/etc/motd", "good-bye"),
    "a file's mode": write("images/node/files/etc/motd", "hello", 0o755),
    "a new file": write("images/node/files/etc/issue", ""),
    "a tree": write("code/a.py", "a = 2"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_each_change_changes_the_digest(what: str, recipe: Recipe, repository: Path) -> None:
    before = digest(recipe, repository, "", "x86_64")
    assert digest(CHANGES[what](recipe, repository), repository, "", "x86_64") != before


def test_base_and_processor_count_too(recipe: Recipe, repository: Path) -> None:
    seen = {digest(recipe, repository, base, machine) for base in ("", "b") for machine in ("x86_64", "aarch64")}
    assert len(seen) == 4


def test_compiled_files_and_the_order_of_variables_do_not_count(recipe: Recipe, repository: Path) -> None:
    before = digest(recipe, repository, "", "x86_64")
    (repository / "code/__pycache__").mkdir()
    (repository / "code/__pycache__/a.pyc").write_bytes(b"x")
    turned = replace(recipe, container=Container(command=("/init",), environment={"B": "2", "A": "1"}))
    assert digest(turned, repository, "", "x86_64") == before


def test_the_place_of_the_clone_does_not_count(recipe: Recipe, repository: Path) -> None:
    moved = repository.rename(repository.with_name("elsewhere"))
    elsewhere = replace(recipe, folder=moved / "images/node")
    before = digest(elsewhere, moved, "", "x86_64")
    moved.rename(repository)
    assert digest(recipe, repository, "", "x86_64") == before


def test_a_tag_shows_twelve_digits() -> None:
    assert short("0123456789abcdef") == "0123456789ab"
