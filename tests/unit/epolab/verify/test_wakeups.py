"""Forged wake-ups: each differs from the real one in just what it says."""

import json

from epolab.verify.wakeups import forged

REAL = (
    b"POST /wakeup HTTP/1.1\r\nHost: pc\r\nContent-Length: 99\r\n\r\n"
    + json.dumps({"signature": "Axx", "payload": "Bxx", "nonce": "cxx"}).encode()
)


def test_forgeries_change_one_thing_and_tell_their_own_length() -> None:
    for what, request in forged(REAL):
        head, _, body = request.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        assert head.count(b"Content-Length") == 1
        changed = {
            key for key, value in json.loads(body).items() if json.loads(REAL.split(b"\r\n\r\n")[1])[key] != value
        }
        assert changed == {{"wrongly signed": "signature", "changed": "payload", "renewed": "nonce"}[what]}
