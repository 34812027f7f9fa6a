"""How a password lies in the database."""

import pytest
from nacl.signing import SigningKey

from miniepo.errors import ConfigError
from miniepo.protocol.credentials import opened, sealed

KEY, OTHER = SigningKey(b"k" * 32), SigningKey(b"x" * 32)


def test_who_has_the_key_can_read_it() -> None:
    text = sealed("open sesame", KEY)
    assert "sesame" not in text and opened(text, KEY) == "open sesame"
    assert sealed("open sesame", KEY) != text, "the same password looks different each time"


@pytest.mark.parametrize(
    "text", [sealed("p", OTHER), "no base64!", "", "QUJD"], ids=["foreign", "noise", "empty", "short"]
)
def test_nobody_else_can(text: str) -> None:
    with pytest.raises(ConfigError):
        opened(text, KEY)
