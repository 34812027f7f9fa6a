"""What counts as content in a wake-up."""

import base64
import json
from typing import Any

import pytest

from epolab.verify.contentless import MOST_BYTES, content_of, content_of_request

ORDER: dict[str, Any] = {
    "message": "wakeup",
    "guid": "E0F52A7C",
    "wakeup_id": "4711",
    "full_props": False,
    "random_seconds": 0.0,
}


def sealed(order: dict[str, Any], **more: str) -> bytes:
    payload = base64.b64encode(json.dumps(order).encode()).decode()
    head = {"sender": "hq/epo", "recipient": "E0F52A7C", "issued_at": 1.0, "nonce": "n", "reply_to": "", **more}
    return json.dumps({**head, "payload": payload, "signature": "AA=="}).encode()


def test_a_wakeup_says_who_is_meant_and_how_to_call_in() -> None:
    assert content_of(sealed(ORDER)) == ""
    assert content_of_request(b"POST /wakeup HTTP/1.1\r\nHost: pc\r\n\r\n" + sealed(ORDER)) == ""


@pytest.mark.parametrize(
    ("envelope", "told"),
    [
        (sealed({**ORDER, "policies": []}), "policies"),
        (sealed(ORDER, tasks="scan"), "tasks"),
        (sealed({**ORDER, "guid": "x" * 200}), "guid is no single word"),
        (sealed({**ORDER, "wakeup_id": {"scan": 1}}), "wakeup_id is no single word"),
        (sealed(ORDER, sender="x" * MOST_BYTES), "bytes, more than"),
        (b"", "nothing that can be read"),
        (b'{"payload": "!"}', "nothing that can be read"),
    ],
)
def test_anything_else_is_content(envelope: bytes, told: str) -> None:
    assert told in content_of(envelope)
