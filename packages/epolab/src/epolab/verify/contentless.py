"""What a wake-up may carry: who is meant, its id, and how to call in; policies, tasks and content never (pure)."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

ENVELOPE = frozenset(("sender", "recipient", "issued_at", "nonce", "reply_to", "payload", "signature"))
ORDER = frozenset(("message", "guid", "segment", "wakeup_id", "full_props", "random_seconds"))
LONGEST_WORD = 128
MOST_BYTES = 1232
"""What fits into one packet of every line, IPv6's least MTU included."""


def content_of_request(request: bytes) -> str:
    """What a recorded wake-up call carries beyond what it may; "" if nothing."""
    return content_of(request.partition(b"\r\n\r\n")[2])


def content_of(envelope: bytes) -> str:
    """What a sealed wake-up or broadcast carries beyond what it may; "" if nothing."""
    if len(envelope) > MOST_BYTES:
        return f"{len(envelope)} bytes, more than {MOST_BYTES}"
    try:
        outer = json.loads(envelope)
        inner = json.loads(base64.b64decode(outer["payload"], validate=True))
        strange = sorted({*outer} - ENVELOPE) + sorted({*inner} - ORDER)
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        return f"nothing that can be read: {error}"
    long = [name for name, value in inner.items() if not _is_word(value)]
    return ", ".join(strange + [f"{name} is no single word" for name in long if name not in strange])


def _is_word(value: Any) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= LONGEST_WORD)
