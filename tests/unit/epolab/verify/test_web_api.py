"""Calls as shell text, and replies."""

import shlex

import pytest

from epolab.errors import WorldError
from epolab.verify.web_api import Upload, body_of, shell_text


def test_arguments_are_quoted_twice_over_and_the_password_is_no_argument() -> None:
    text = shell_text("system.find", {"searchText": "it's $(here)"})
    shell, flag, inner = shlex.split(text)
    assert (shell, flag) == ("bash", "-c")
    assert "searchText=it's $(here)" in shlex.split(inner)
    assert "-u" not in inner.split()


def test_a_call_has_a_limit() -> None:
    assert "--max-time 120 " in shell_text("x", {})
    assert "--max-time 1410 " in shell_text("x", {}, limit_seconds=1410.0)


def test_a_file_goes_up_by_standard_input() -> None:
    text = shell_text("policy.importPolicy", {}, Upload("file", "p.json", b"[]"))
    assert text.startswith("echo W10= | base64 -d | bash -c ")
    assert "file=@-;filename=p.json" in text
    assert "file=@/tmp/p.bin;filename=p.bin" in shell_text("x", {}, Upload("file", "p.bin", path="/tmp/p.bin"))


def test_only_ok_is_a_reply() -> None:
    assert body_of("x", 'OK:\r\n[ {"a" : 1} ]') == [{"a": 1}]
    with pytest.raises(WorldError, match="Error 1"):
        body_of("x", "Error 1 :\r\nNo such command: x")
