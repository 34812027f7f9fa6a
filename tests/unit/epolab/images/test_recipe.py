"""Recipes are read strictly; everything wrong is said at once."""

from pathlib import Path
from typing import Any

import pytest

from epolab.errors import RecipeInvalidError
from epolab.images.recipe import Tree, read_recipe, recipe_of

GOOD: dict[str, Any] = {"recipe": 1, "suite": "bookworm", "packages": ["runit"], "container": {"command": ["/init"]}}


def test_a_recipe_keeps_what_its_document_says() -> None:
    trees = [{"source": "packages/x", "target": "/opt/x"}]
    recipe = recipe_of({**GOOD, "trees": trees, "exclude": ["/usr/share/doc/*"]}, Path("images/node"))
    assert (recipe.name, recipe.packages, recipe.exclude) == ("node", ("runit",), ("/usr/share/doc/*",))
    assert recipe.trees == (Tree("packages/x", "/opt/x"),)
    assert recipe.files == Path("images/node/files")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"recipe": 2}, "`recipe: 1` is the only format"),
        ({"suite": ""}, "say either `suite`"),
        ({"from": "node"}, "say either `suite`"),
        ({"container": {"command": []}}, "names no program"),
        ({"sweet": "bookworm"}, "unknown field `sweet`"),
        ({"packages": "runit"}, "Expected `array`"),
    ],
)
def test_a_wrong_recipe_is_refused_with_its_reason(change: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeInvalidError, match=said):
        recipe_of({**GOOD, **change}, Path("images/node"))


def test_all_broken_rules_are_said_together() -> None:
    with pytest.raises(RecipeInvalidError) as raised:
        recipe_of({**GOOD, "recipe": 2, "from": "node"}, Path("images/node"))
    assert len(raised.value.evidence) == 3


def test_a_file_that_is_no_yaml_names_the_place(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("recipe: 1\nrecipe: 1\n")
    with pytest.raises(RecipeInvalidError) as raised:
        read_recipe(tmp_path)
    assert "recipe.yaml:2:1" in raised.value.evidence[0]
