"""An agent's half of the protocol with nothing behind it: says one message at a time to a real handler."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from nacl.signing import SigningKey

from miniepo.clock import SystemEntropy
from miniepo.protocol import codec, messages, signing
from miniepo.protocol.relay_session import Endpoint
from miniepo.wire.http_client import Answer, HttpConnection
from miniepo.wire.stream import connect, start_tls
from miniepo.wire.tls import client_context


async def fetch(
    port: int,
    method: str,
    path: str,
    body: bytes = b"",
    headers: tuple[tuple[str, str], ...] = (),
    ca: str = "",
    certificate: str = "",
    key: str = "",
) -> Answer:
    """One request to localhost, over TLS if there is a CA, with a certificate of one's own if there is one."""
    stream = await connect(Endpoint("127.0.0.1", port))
    if ca:
        await start_tls(stream, client_context(ca, certificate, key), "localhost")
    connection = HttpConnection(stream, f"localhost:{port}")
    try:
        return await connection.request(method, path, body, headers)
    finally:
        await connection.close()


class Speaker:
    """One agent's identity and the handler that it talks to."""

    def __init__(self, port: int, keys: Any, name: str) -> None:
        self.port = port
        self.name = name
        self.guid = SystemEntropy().guid()
        self.key = SigningKey.generate()
        self._keys = keys
        self._server_key = signing.load_verify_key(keys.public_key)

    def seal(self, message: messages.FromAgent, issued_at: float | None = None) -> bytes:
        return signing.seal(
            codec.encode(message),
            self.key,
            sender=self.guid,
            recipient="",
            issued_at=issued_at or time.time(),
            nonce=SystemEntropy().nonce(),
        )

    def post(self, data: bytes) -> Answer:
        tls = self._keys.tls
        own = {"ca": tls.ca, "certificate": tls.certificate, "key": tls.key}
        return asyncio.run(fetch(self.port, "POST", "/spipe/pkg", data, **own))

    def say(self, message: messages.FromAgent) -> Any:
        """The handler's answer, with its seal checked."""
        return self.opened(self.post(self.seal(message)))

    def opened(self, answer: Answer) -> Any:
        assert answer.status == 200, answer.body
        envelope = signing.open_envelope(answer.body)
        signing.verify(envelope, self._server_key, now=time.time())
        assert envelope.recipient == self.guid
        return codec.decode_to_agent(envelope.payload)

    def enrolment(self, enrolment_key: str = "let me in") -> messages.Enrol:
        public = signing.public_text(self.key)
        return messages.Enrol(
            guid=self.guid,
            public_key=public,
            computer_name=self.name,
            fqdn=f"{self.name}.test",
            version="4.8.0",
            platform="Linux",
            proof=signing.enrolment_proof(enrolment_key, self.guid, public, self.name),
        )

    def call_in(self, values: dict[str, str] | None = None, **reported: Any) -> messages.Package:
        """PROPS VERSION, REQUEST PROPS, PROPS, POLICY package."""
        request = self.say(messages.PropsVersion(guid=self.guid, version="4.8.0", props_version="p1", **reported))
        assert isinstance(request, messages.RequestProps), request
        for name in ("reason", "via_relay"):
            reported.pop(name, None)
        all_values = {"ComputerName": self.name, "IPHostName": f"{self.name}.test", "IPAddress": "127.0.0.1"}
        properties = messages.Props(
            guid=self.guid, kind="full", props_version="p1", values=all_values | (values or {}), **reported
        )
        package = self.say(properties)
        assert isinstance(package, messages.Package), package
        return package
