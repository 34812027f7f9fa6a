"""Signed envelopes: who said it, to whom, when, once.

Signatures are ed25519 (PyNaCl). A key file holds one line of base64: the 32-byte seed of a private key, or the 32-byte
public key. The ASSC key is the server's; every agent has a key pair of its own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from pathlib import Path

import msgspec
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from miniepo.errors import ConfigError, SignatureError, StaleEnvelopeError
from miniepo.protocol.decoding import decoded

MAX_AGE_SECONDS = 300.0
_CONTEXT = b"miniepo-envelope-1"


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A message with its seal.

    `sender`: an agent's GUID or a handler's name; `recipient`: a GUID, or "" for the server; `reply_to`: the nonce of
    the request that this answers, or "".
    """

    sender: str
    recipient: str
    issued_at: float
    nonce: str
    reply_to: str
    payload: bytes
    signature: bytes


_decoder = msgspec.json.Decoder(Envelope)


def _sealed_bytes(sender: str, recipient: str, issued_at: float, nonce: str, reply_to: str, payload: bytes) -> bytes:
    head = (sender, recipient, repr(issued_at), nonce, reply_to)
    parts = [_CONTEXT, *(text.encode() for text in head), payload]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def seal(
    payload: bytes,
    key: SigningKey,
    *,
    sender: str,
    recipient: str,
    issued_at: float,
    nonce: str,
    reply_to: str = "",
) -> bytes:
    """The bytes of a signed envelope around `payload`."""
    issued_at = round(issued_at, 3)
    sealed = _sealed_bytes(sender, recipient, issued_at, nonce, reply_to, payload)
    envelope = Envelope(
        sender=sender,
        recipient=recipient,
        issued_at=issued_at,
        nonce=nonce,
        reply_to=reply_to,
        payload=payload,
        signature=key.sign(sealed).signature,
    )
    return msgspec.json.encode(envelope)


def open_envelope(data: bytes) -> Envelope:
    """Read an envelope without believing it; raises MessageError. `verify` it before use."""
    return decoded(_decoder, data, "an envelope")


def verify(envelope: Envelope, key: VerifyKey, *, now: float, max_age_seconds: float = MAX_AGE_SECONDS) -> None:
    """Raise SignatureError or StaleEnvelopeError unless the envelope is the key owner's and fresh.

    Whether the nonce was seen before is for the caller to remember: a nonce need be kept `max_age_seconds` only.
    """
    sealed = _sealed_bytes(
        envelope.sender, envelope.recipient, envelope.issued_at, envelope.nonce, envelope.reply_to, envelope.payload
    )
    try:
        key.verify(sealed, envelope.signature)
    except (BadSignatureError, ValueError) as error:
        raise SignatureError(f"the signature is not that of {envelope.sender!r}") from error
    age = now - envelope.issued_at
    if abs(age) > max_age_seconds:
        raise StaleEnvelopeError(f"issued {age:.0f} s ago; at most {max_age_seconds:.0f} s either way are accepted")


def enrolment_proof(enrolment_key: str, guid: str, public_key: str, computer_name: str) -> str:
    """HMAC-SHA256, in hex, that whoever knows the enrolment key vouches for this GUID, key and name."""
    subject = "\n".join(("miniepo-enrol-1", guid, public_key, computer_name))
    return hmac.new(enrolment_key.encode(), subject.encode(), hashlib.sha256).hexdigest()


def proof_matches(expected: str, given: str) -> bool:
    """Compare two proofs in constant time."""
    return hmac.compare_digest(expected.encode(), given.encode())


def _key_bytes(text: str, source: str) -> bytes:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError(f"{source}: not base64") from error
    if len(raw) != 32:
        raise ConfigError(f"{source}: {len(raw)} bytes where an ed25519 key has 32")
    return raw


def signing_key(text: str, source: str = "signing key") -> SigningKey:
    """A private key from the base64 of its seed."""
    return SigningKey(_key_bytes(text, source))


def verify_key(text: str, source: str = "public key") -> VerifyKey:
    """A public key from base64."""
    return VerifyKey(_key_bytes(text, source))


def load_signing_key(path: str | Path) -> SigningKey:
    """A private key from its file."""
    return signing_key(_read(path), str(path))


def load_verify_key(path: str | Path) -> VerifyKey:
    """A public key from its file."""
    return verify_key(_read(path), str(path))


def public_text(key: SigningKey) -> str:
    """The base64 text of a private key's public half."""
    return base64.b64encode(bytes(key.verify_key)).decode()


def seed_text(key: SigningKey) -> str:
    """The base64 text that `signing_key` reads back."""
    return base64.b64encode(bytes(key)).decode()


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error


SIGNATURE_HEADER = "X-Miniepo-Signature"


def sign_request(method: str, path: str, content_sha256: str, key: SigningKey, *, issued_at: float, nonce: str) -> str:
    """The value of `SIGNATURE_HEADER` for a PUT or DELETE below `/Software/` of a SuperAgent.

    Four words: issued-at, nonce, SHA-256 of the body in hex ("-" for DELETE), signature in base64.
    """
    head = f"{issued_at:.3f} {nonce} {content_sha256}"
    signature = key.sign(_request_bytes(method, path, head)).signature
    return f"{head} {base64.b64encode(signature).decode()}"


def verify_request(method: str, path: str, header: str, key: VerifyKey, *, now: float) -> tuple[str, str]:
    """The nonce and the body's promised SHA-256 of a signed request; raises SignatureError or StaleEnvelopeError.

    The caller remembers nonces and compares the body's hash.
    """
    try:
        issued_at, nonce, content_sha256, signature = header.split(" ")
        head = f"{issued_at} {nonce} {content_sha256}"
        key.verify(_request_bytes(method, path, head), base64.b64decode(signature, validate=True))
        age = now - float(issued_at)
    except (BadSignatureError, ValueError) as error:
        raise SignatureError(f"{method} {path}: not signed by the server") from error
    if abs(age) > MAX_AGE_SECONDS:
        raise StaleEnvelopeError(f"{method} {path}: issued {age:.0f} s ago")
    return nonce, content_sha256


def _request_bytes(method: str, path: str, head: str) -> bytes:
    return "\n".join(("miniepo-request-1", method, path, head)).encode()
