"""Commands are found in any case and explain themselves."""

import pytest

from miniepo.errors import CommandError
from miniepo.server.api.arguments import Call
from miniepo.server.api.registry import Command, Registry


async def nothing(_: Call) -> None:
    return None


COMMAND = Command("core.help", ("[command]", "prefix=<>"), "Lists the commands " * 8, nothing)


def test_a_command_is_found_in_any_case_and_an_unknown_one_is_error_1() -> None:
    registry = Registry([COMMAND])
    assert registry.find("CORE.HELP") is COMMAND
    with pytest.raises(CommandError, match=r"No such command: core\.nothing") as caught:
        registry.find("core.nothing")
    assert caught.value.code == 1


def test_help_is_wrapped_with_cr_lf_and_can_be_cut_at_the_first_space() -> None:
    assert COMMAND.line.split(" ")[0] == "core.help"
    assert " - " in COMMAND.line
    assert max(map(len, COMMAND.line.split("\r\n"))) <= 80
    assert COMMAND.parameter_names == ("command", "prefix")
