"""Which wake-up calls are believed."""

from pathlib import Path

import pytest
from nacl.signing import SigningKey

from miniepo.agent.nonces import NonceMemory
from miniepo.agent.wakeup import accept, check_source
from miniepo.errors import (
    MessageError,
    RefusedError,
    ReplayedEnvelopeError,
    SignatureError,
    StaleEnvelopeError,
)
from miniepo.protocol import codec, signing
from miniepo.protocol.messages import Acknowledged, FromAgent, ToAgent, Wakeup
from tests.unit.miniepo.standins import state_directory

KEY = SigningKey(b"k" * 32)
NOW = 5000.0
CALL = Wakeup(guid="G-1", wakeup_id="w-1")


def sealed(
    message: FromAgent | ToAgent = CALL, key: SigningKey = KEY, recipient: str = "G-1", at: float = NOW
) -> bytes:
    return signing.seal(codec.encode(message), key, sender="epo", recipient=recipient, issued_at=at, nonce="n-1")


@pytest.fixture
def nonces(tmp_path: Path) -> NonceMemory:
    return NonceMemory(state_directory(tmp_path))


def test_the_servers_call_is_believed_once(nonces: NonceMemory) -> None:
    assert accept(sealed(), "G-1", KEY.verify_key, nonces, NOW) == CALL
    with pytest.raises(ReplayedEnvelopeError):
        accept(sealed(), "G-1", KEY.verify_key, nonces, NOW + 1)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (sealed(key=SigningKey(b"x" * 32)), SignatureError),
        (sealed(recipient="G-2"), SignatureError),
        (sealed(at=NOW - 301), StaleEnvelopeError),
        (sealed(at=NOW + 301), StaleEnvelopeError),
        (sealed(Acknowledged()), MessageError),
        (sealed(Wakeup(guid="G-2", wakeup_id="w")), MessageError),
        (sealed().replace(b'"epo"', b'"ep0"'), SignatureError),
        (b"", MessageError),
    ],
    ids=["key", "recipient", "old", "future", "no wake-up", "other guid", "altered", "nothing"],
)
def test_no_other_call_is(data: bytes, error: type[Exception], nonces: NonceMemory) -> None:
    with pytest.raises(error):
        accept(data, "G-1", KEY.verify_key, nonces, NOW)
    assert accept(sealed(), "G-1", KEY.verify_key, nonces, NOW) == CALL, "a refused call uses no nonce up"


def test_only_handlers_may_call() -> None:
    check_source("10.1.0.10", {"10.1.0.10"})
    with pytest.raises(RefusedError, match=r"10\.1\.0\.11 is no handler"):
        check_source("10.1.0.11", {"10.1.0.10"})
