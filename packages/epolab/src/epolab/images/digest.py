"""An image's name: a digest of everything that decides what is in it, and of nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from epolab.images.content import read_tree
from epolab.images.recipe import Recipe

BUILDER = 1  # raise it when the building code makes something else of the same recipe


def digest(recipe: Recipe, repository: Path, base: str, architecture: str) -> str:
    """64 hex digits over the recipe, its files, the Python lock, the trees, the base image and the architecture."""
    parts = [
        f"builder {BUILDER}",
        f"architecture {architecture}",
        f"base {base}",
        *_settings(recipe),
        *(entry.digest for entry in read_tree(recipe.files)),
        *(entry.digest for tree in recipe.trees for entry in read_tree(repository / tree.source, tree.target)),
        f"lock {_lock(recipe, repository)}",
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def short(full: str) -> str:
    """The twelve digits that an image's tag and its place in the cache show."""
    return full[:12]


def _settings(recipe: Recipe) -> list[str]:
    """What the recipe says; comments, layout and keys left at their defaults do not count."""
    left_out = {"folder", "name", "base"}
    said = {name: getattr(recipe, name) for name in recipe.__slots__ if name not in left_out}
    return [f"{name} {_canonical(value)}" for name, value in said.items() if value]


def _canonical(value: object) -> str:
    return msgspec.json.encode(msgspec.to_builtins(value), order="deterministic").decode()


def _lock(recipe: Recipe, repository: Path) -> str:
    if recipe.python is None:
        return "none"
    return hashlib.sha256((repository / recipe.python.lock).read_bytes()).hexdigest()
