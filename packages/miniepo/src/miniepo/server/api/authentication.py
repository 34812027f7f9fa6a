"""Who calls: HTTP Basic, sent at once or after a challenge (domain §7.1), against the users' argon2 hashes."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from miniepo.clock import Clock, Entropy
from miniepo.store.store import Store

CHALLENGE = 'Basic realm="miniepo", charset="UTF-8"'
REMEMBERED_SECONDS = 60.0


def credentials_of(header: str | None) -> tuple[str, str] | None:
    """User and password of an Authorization header; None if it holds none."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None


class Authentication:
    """Checks credentials; a good pair is remembered for a minute, as a keyed digest: argon2 is slow on purpose."""

    def __init__(self, store: Store, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._clock = clock
        self._hasher = password_hasher()
        self._secret = entropy.nonce().encode()
        self._remembered: dict[bytes, float] = {}
        # what an unknown user's password is checked against, so that the answer takes the same time
        self._nobody = self._hasher.hash(entropy.nonce())

    def token(self, user: str) -> str:
        """The security token of a user for this run of the server (core.getSecurityToken)."""
        return hmac.new(self._secret, f"token:{user}".encode(), hashlib.sha256).hexdigest()[:32]

    async def user(self, header: str | None) -> str | None:
        """The name of the user whom an Authorization header proves; None if it proves nobody."""
        given = credentials_of(header)
        if given is None:
            return None
        user = await self._store.users.by_name(given[0])
        hashed = user.password_hash if user is not None else self._nobody
        good = await self._matches(hashed, given[1])
        return user.name if user is not None and good and not user.disabled else None

    async def _matches(self, hashed: str, password: str) -> bool:
        key = hmac.new(self._secret, f"{hashed}\0{password}".encode(), hashlib.sha256).digest()
        now = self._clock.monotonic()
        if self._remembered.get(key, now) > now:
            return True
        self._remembered = {each: until for each, until in self._remembered.items() if until > now}
        good = await asyncio.to_thread(self._verify, hashed, password)
        if good:
            self._remembered[key] = now + REMEMBERED_SECONDS
        return good

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except VerificationError:
            return False


def hash_password(password: str) -> str:
    """The argon2 hash to store for a password."""
    return password_hasher().hash(password)


def password_hasher() -> PasswordHasher:
    """Argon2id with the smallest parameters that are still advised (19 MiB, two passes), since nodes are small."""
    return PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
