"""A seal binds sender, recipient, time, nonce, question and payload; nothing of it can be changed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from nacl.signing import SigningKey

from miniepo.errors import ConfigError, MessageError, SignatureError, StaleEnvelopeError
from miniepo.protocol import signing

KEY = SigningKey(b"1" * 32)


def envelope() -> signing.Envelope:
    data = signing.seal(b"hello", KEY, sender="A", recipient="B", issued_at=1000.0004, nonce="n", reply_to="q")
    return signing.open_envelope(data)


def test_the_owners_envelope_is_believed() -> None:
    signing.verify(envelope(), KEY.verify_key, now=1000)
    assert envelope().payload == b"hello"


@pytest.mark.parametrize(
    "change",
    [
        {"sender": "X"},
        {"recipient": "X"},
        {"issued_at": 1001.0},
        {"nonce": "m"},
        {"reply_to": ""},
        {"payload": b"hullo"},
        {"sender": "AB", "recipient": ""},
        {"signature": b"short"},
    ],
)
def test_a_changed_envelope_is_not(change: dict[str, object]) -> None:
    with pytest.raises(SignatureError):
        signing.verify(msgspec.structs.replace(envelope(), **change), KEY.verify_key, now=1000)


def test_another_key_is_not_believed() -> None:
    with pytest.raises(SignatureError):
        signing.verify(envelope(), SigningKey(b"2" * 32).verify_key, now=1000)


@pytest.mark.parametrize("now", [1301, 699])
def test_an_old_or_future_envelope_is_stale(now: float) -> None:
    with pytest.raises(StaleEnvelopeError):
        signing.verify(envelope(), KEY.verify_key, now=now)


def test_noise_is_no_envelope() -> None:
    with pytest.raises(MessageError):
        signing.open_envelope(b"{}")


def test_a_proof_depends_on_all_that_it_vouches_for() -> None:
    proofs = {
        signing.enrolment_proof(*words) for words in [("k", "g", "p", "n"), ("k", "g", "p", "m"), ("j", "g", "p", "n")]
    }
    assert len(proofs) == 3
    assert signing.proof_matches("ab", "ab") and not signing.proof_matches("ab", "ac")


def test_a_signed_request_is_good_for_its_method_and_path_only() -> None:
    header = signing.sign_request("PUT", "/Software/x", "ff", KEY, issued_at=1000, nonce="n")
    assert signing.verify_request("PUT", "/Software/x", header, KEY.verify_key, now=1000) == ("n", "ff")
    for method, path in (("DELETE", "/Software/x"), ("PUT", "/Software/y")):
        with pytest.raises(SignatureError):
            signing.verify_request(method, path, header, KEY.verify_key, now=1000)
    with pytest.raises(SignatureError):
        signing.verify_request("PUT", "/Software/x", header.replace("ff", "fe"), KEY.verify_key, now=1000)
    with pytest.raises(StaleEnvelopeError):
        signing.verify_request("PUT", "/Software/x", header, KEY.verify_key, now=2000)


@pytest.mark.parametrize("header", ["", "a b", "x n ff AAAA", "1000 n ff !"])
def test_a_damaged_header_is_a_bad_signature(header: str) -> None:
    with pytest.raises(SignatureError):
        signing.verify_request("PUT", "/", header, KEY.verify_key, now=1000)


def test_keys_come_back_from_their_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(signing.seed_text(KEY) + "\n")
    (tmp_path / "pub").write_text(signing.public_text(KEY) + "\n")
    assert signing.load_signing_key(tmp_path / "key") == KEY
    assert signing.load_verify_key(tmp_path / "pub") == KEY.verify_key


@pytest.mark.parametrize("text", ["", "AAAA", "no base64!"])
def test_a_bad_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        signing.verify_key(text)
