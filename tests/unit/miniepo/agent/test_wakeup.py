"""Which wake-up calls are believed."""

from pathlib import Path

import pytest
from nacl.signing import SigningKey

from miniepo.agent.nonces import NonceMemory
from miniepo.agent.wakeup import accept, callers, check_source, delay_seconds
from miniepo.errors import (
    MessageError,
    RefusedError,
    ReplayedEnvelopeError,
    SignatureError,
    StaleEnvelopeError,
)
from miniepo.protocol import codec, signing
from miniepo.protocol.messages import Acknowledged, FromAgent, ToAgent, Wakeup
from tests.unit.miniepo.standins import HANDLER, SECOND, state_directory

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


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("4.0.0", ["ePO_EPO"]),
        ("4.4.9", ["ePO_EPO"]),
        ("", ["ePO_EPO"]),
        ("4.5", ["ePO_EPO", "ePO_AH"]),
        ("4.8.0", ["ePO_EPO", "ePO_AH"]),
        ("5.6.1", ["ePO_EPO", "ePO_AH"]),
    ],
)
def test_old_agents_know_their_first_handler_only(version: str, names: list[str]) -> None:
    assert [site.name for site in callers((HANDLER, SECOND), version)] == names


def test_a_call_in_is_spread_over_the_time_that_the_wakeup_allows() -> None:
    spread = Wakeup(guid="G-1", wakeup_id="w", random_seconds=60)
    assert delay_seconds(spread, lambda low, high: low + (high - low) / 4) == 15
    assert delay_seconds(CALL, lambda low, high: high + 1) == 0, "nothing is drawn for a call at once"
