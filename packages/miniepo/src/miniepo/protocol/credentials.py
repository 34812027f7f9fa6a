"""A password on its way through the database: sealed so that only the server and its handlers can read it."""

from __future__ import annotations

import base64
import binascii
import hashlib

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from nacl.signing import SigningKey

from miniepo.errors import ConfigError


def sealed(password: str, key: SigningKey) -> str:
    """A password as the work queue may hold it: only who has the ASSC key can read it."""
    return base64.b64encode(_box(key).encrypt(password.encode())).decode()


def opened(text: str, key: SigningKey) -> str:
    """The password again; ConfigError if it was sealed with another key."""
    try:
        return _box(key).decrypt(base64.b64decode(text, validate=True)).decode()
    except (CryptoError, binascii.Error, ValueError) as error:
        raise ConfigError("the password was sealed with another key") from error


def _box(key: SigningKey) -> SecretBox:
    return SecretBox(hashlib.blake2b(bytes(key), digest_size=SecretBox.KEY_SIZE, person=b"miniepo-push").digest())
