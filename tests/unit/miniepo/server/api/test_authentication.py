"""Credentials as they come in a header, and the hash that is kept."""

import base64

import pytest
from argon2 import PasswordHasher

from miniepo.server.api.authentication import credentials_of, hash_password


def header(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_user_and_password_are_read_and_a_colon_may_be_in_the_password() -> None:
    assert credentials_of(header("admin:a:b")) == ("admin", "a:b")


@pytest.mark.parametrize("wrong", [None, "", "Bearer abc", "Basic !!!", header("no colon")])
def test_anything_else_proves_nobody(wrong: str | None) -> None:
    assert credentials_of(wrong) is None


def test_the_hash_is_argon2_and_never_twice_the_same() -> None:
    first = hash_password("secret")
    assert first.startswith("$argon2id$")
    assert first != hash_password("secret")
    assert PasswordHasher().verify(first, "secret")
