import pytest

from epolab.topology import words
from epolab.topology.reference import COMPONENTS


@pytest.mark.parametrize("name", ["pc-1", "a", "tokyo", "x1-y2"])
def test_node_names(name: str) -> None:
    assert words.NODE_NAME.matches(name)


@pytest.mark.parametrize("name", ["", "1a", "a-", "a--b", "A", "a_b", "a.b", "a/b"])
def test_what_is_no_node_name(name: str) -> None:
    assert not words.NODE_NAME.matches(name)


@pytest.mark.parametrize("path", ["tokyo", "tokyo/1_SuperAgents", r"My Organization\a\b"])
def test_group_paths(path: str) -> None:
    assert words.GROUP_PATH.matches(path)


@pytest.mark.parametrize("path", ["", "/a", "a//b", "a/"])
def test_what_is_no_group_path(path: str) -> None:
    assert not words.GROUP_PATH.matches(path)


def test_every_component_is_explained() -> None:
    assert set(COMPONENTS) == set(words.COMPONENTS)
    assert not set(words.COMPONENTS) & set(words.COMPONENTS_LATER)
