"""The tree that the docstring draws is the tree that is there."""

from __future__ import annotations

import inspect
import re

from miniepo import errors


def test_the_drawn_tree_names_every_class_at_its_depth() -> None:
    classes = {
        name: len([base for base in each.__mro__ if issubclass(base, errors.MiniepoError)]) - 1
        for name, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, errors.MiniepoError)
    }
    drawn = re.findall(r"^([│├└─ ]*)(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    assert {name: len(indent) // 4 for indent, name in drawn} == classes


def test_an_error_without_a_message_says_what_its_class_says() -> None:
    assert str(errors.UnreachableError()) == "The peer cannot be reached."
    assert str(errors.RefusedError("stale", "too old")) == "stale: too old"
