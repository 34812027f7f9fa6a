"""What an image is made of, as `images/<name>/recipe.yaml` says it; strict, everything wrong is said at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from epolab.errors import RecipeInvalidError
from epolab.yaml_file import plain, read_yaml


class PythonPackages(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Third-party Python packages in a virtual environment of the image; `lock` is a path in the repository."""

    version: str
    lock: str
    venv: str


class Tree(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A folder of the repository that is copied into the image."""

    source: str
    target: str


class Container(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a container of the image starts."""

    command: tuple[str, ...]
    environment: dict[str, str] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"base": "from"}):
    recipe: int
    container: Container
    base: str = ""
    suite: str = ""
    variant: str = "minbase"
    packages: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    python: PythonPackages | None = None
    trees: tuple[Tree, ...] = ()
    root_of: str = ""
    finish: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """One image: either a new root file system of `packages`, or `base` (another image) with more on top.

    `root_of` names an image whose own root file system lies at /vm/root.tar when the finishing commands run.
    """

    name: str
    folder: Path
    container: Container
    base: str = ""
    suite: str = ""
    variant: str = "minbase"
    packages: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    python: PythonPackages | None = None
    trees: tuple[Tree, ...] = ()
    root_of: str = ""
    finish: tuple[str, ...] = field(default=())

    @property
    def files(self) -> Path:
        """The folder that mirrors `/`."""
        return self.folder / "files"


_RULES: tuple[tuple[Callable[[_File], bool], str], ...] = (
    (lambda file: file.recipe == 1, "`recipe: 1` is the only format there is"),
    (lambda file: bool(file.base) != bool(file.suite), "say either `suite` (a new root) or `from` (another image)"),
    (
        lambda file: not (file.base and file.packages),
        "`packages` need a `suite`: an image `from` another adds files only",
    ),
    (lambda file: not (file.base and file.python), "`python` needs a `suite`"),
    (lambda file: not (file.base and file.root_of), "`root_of` needs a `suite`"),
    (lambda file: bool(file.container.command), "`container.command` names no program"),
)


def read_recipe(folder: Path) -> Recipe:
    """Read `recipe.yaml` of one image folder; RecipeInvalidError says all that is wrong with it."""
    path = folder / "recipe.yaml"
    read = read_yaml(path)
    if read.root is None or read.problems:
        raise RecipeInvalidError(f"{path} cannot be read", evidence=[problem.render() for problem in read.problems])
    return recipe_of(plain(read.root), folder)


def recipe_of(document: Any, folder: Path) -> Recipe:
    """A recipe from its document."""
    try:
        file = msgspec.convert(document, _File)
    except msgspec.ValidationError as error:
        raise RecipeInvalidError(f"{folder / 'recipe.yaml'}: {error}") from error
    broken = [rule for holds, rule in _RULES if not holds(file)]
    if broken:
        raise RecipeInvalidError(f"{folder / 'recipe.yaml'}: {'; '.join(broken)}", evidence=broken)
    values = {name: getattr(file, name) for name in file.__struct_fields__ if name != "recipe"}
    return Recipe(name=folder.name, folder=folder, **values)
