"""Calls as published clients write them (domain §7.1)."""

import pytest

from miniepo.errors import CommandError
from miniepo.server.api.arguments import command_of, pairs_of, read_call


@pytest.mark.parametrize(
    "path", ["/remote/core.help", "/remote/core.help.do", "/remote/remote/core.help", "/remote/core.help/"]
)
def test_the_command_is_the_last_part_of_the_path(path: str) -> None:
    assert command_of(path) == "core.help"


def test_names_have_any_case_and_system_words_are_no_arguments() -> None:
    query = "?&Command=system.find&:output=json&orion.user.security.token=abc".lstrip("?")
    call = read_call("/remote/core.help", pairs_of(query), {}, ("command",))
    assert (call.text("command"), call.output, call.arguments) == ("system.find", "json", {"command": "system.find"})


def test_positions_become_the_names_of_the_command() -> None:
    call = read_call("/remote/system.move", [("param1", "a, b"), ("param2", "7")], {}, ("names", "parentGroupId"))
    assert call.names("names") == ["a", "b"]
    assert call.number("parentGroupId") == 7


def test_a_position_that_the_command_does_not_have_stays_as_it_is() -> None:
    assert read_call("/remote/x", [("param3", "v")], {}, ("a",)).arguments == {"param3": "v"}


@pytest.mark.parametrize(("text", "value"), [("True", True), ("false", False), ("1", True), ("", False)])
def test_switches_come_as_powershell_writes_them(text: str, value: bool) -> None:
    assert read_call("/remote/x", [("force", text)], {}, ()).flag("force") is value


def test_what_is_wrong_with_an_argument_is_said() -> None:
    call = read_call("/remote/x", [("id", "seven"), ("force", "perhaps")], {}, ())
    with pytest.raises(CommandError, match="id must be a whole number, not 'seven'"):
        call.number("id")
    with pytest.raises(CommandError, match="force must be true or false"):
        call.flag("force")
    with pytest.raises(CommandError, match="the argument names is missing"):
        call.text("names")
    with pytest.raises(CommandError, match="none of terse, verbose, json, xml"):
        read_call("/remote/x", [(":output", "yaml")], {}, ())


def test_the_only_file_is_the_file_whatever_its_name() -> None:
    assert read_call("/remote/x", [], {"Upload": ("p.json", b"data")}, ()).file("file") == b"data"
    with pytest.raises(CommandError, match="multipart"):
        read_call("/remote/x", [], {}, ()).file("file")
