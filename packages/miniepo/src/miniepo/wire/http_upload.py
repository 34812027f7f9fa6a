"""A file sent as the body of a request, piece by piece as fast as the peer takes them."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import h11

from miniepo.errors import TransferError
from miniepo.patience import within
from miniepo.wire.http_client import Answer, Headers, HttpConnection

_PIECE_BYTES = 256 * 1024


class UploadConnection(HttpConnection):
    """A client's connection that can also send files."""

    async def upload(self, method: str, target: str, path: Path, headers: Headers) -> Answer:
        """Send a file; a peer that takes no byte for the idle time ends it with a TransferError."""
        if self._state.our_state is h11.DONE:
            self._state.start_next_cycle()
        try:
            with path.open("rb") as source:
                size = source.seek(0, os.SEEK_END)
                source.seek(0)
                lines = [("Host", self._host), ("Content-Length", str(size)), *headers]
                self._write(h11.Request(method=method, target=target, headers=lines))
                while piece := source.read(_PIECE_BYTES):
                    self._write(h11.Data(data=piece))
                    await within(self.stream.writer.drain(), self._idle_seconds)
            self._write(h11.EndOfMessage())
            body = bytearray()
            answer = await self._receive(body.extend)
            return Answer(answer.status, answer.headers, bytes(body))
        except (OSError, ssl.SSLError, EOFError, h11.ProtocolError, TimeoutError) as error:
            self.stream.abort()
            raise TransferError(f"{method} {target}: {error or type(error).__name__}") from error
