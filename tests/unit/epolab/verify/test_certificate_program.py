"""Looking at a certificate: nobody there is told as such."""

import socket

from epolab.verify.certificate_program import look_at


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    given = {"port": port, "name": "epo.hq.test", "ca": None, "own": [], "timeout_s": 2.0}
    seen = look_at("127.0.0.1", given)
    assert (seen["address"], seen["ok"]) == ("127.0.0.1", False)
    assert "ConnectionRefusedError" in seen["text"]
