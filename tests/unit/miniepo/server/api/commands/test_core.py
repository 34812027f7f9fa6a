"""core.help: one command, a prefix, all; an unknown one is error 0 (domain §7.2)."""

import pytest

from miniepo.errors import CommandError
from miniepo.server.api.arguments import Call
from miniepo.server.api.commands.core import help_lines
from miniepo.server.api.registry import Command, Registry


async def nothing(_: Call) -> None:
    return None


REGISTRY = Registry([Command("system.find", ("searchText",), "Finds", nothing), Command("core.x", (), "X", nothing)])


def test_help_lists_all_a_prefix_or_one() -> None:
    assert [line.split(" ")[0] for line in help_lines(REGISTRY, None, None)] == ["core.x", "system.find"]
    assert help_lines(REGISTRY, None, "core") == ["core.x - X"]
    assert help_lines(REGISTRY, "system.find", None) == ["system.find searchText - Finds"]


def test_an_unknown_command_is_told_with_error_0() -> None:
    with pytest.raises(CommandError, match="Command was not found: nobody") as caught:
        help_lines(REGISTRY, "nobody", None)
    assert caught.value.code == 0
