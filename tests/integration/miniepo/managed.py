"""A field with a server and an update server in it, and a client of the Web API."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from field import Field, Process, free_port, open_field, until
from nacl.signing import SigningKey
from speaker import fetch

from miniepo import config
from miniepo.protocol import signing
from miniepo.wire.http_client import Answer

PASSWORD = "open sesame"


class Console:
    """The Web API as a client sees it."""

    def __init__(self, port: int, ca: str) -> None:
        self._port = port
        self._ca = ca

    def raw(self, command: str, password: str = PASSWORD, **arguments: str) -> Answer:
        """The answer to a GET; `_output` becomes `:output`."""
        words = {name.replace("_output", ":output"): value for name, value in arguments.items()}
        return self._ask("GET", f"{command}?{urlencode(words)}", b"", (), password)

    def json(self, command: str, **arguments: Any) -> Any:
        """The decoded reply of a command that must succeed."""
        return _decoded(self.raw(command, _output="json", **{name: str(value) for name, value in arguments.items()}))

    def upload(self, command: str, files: dict[str, bytes], **arguments: str) -> Any:
        """A multipart POST with the arguments in the query string."""
        boundary = "a-boundary"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'.encode()
            + data
            + b"\r\n"
            for name, data in files.items()
        ]
        body = b"".join(parts) + f"--{boundary}--\r\n".encode()
        query = urlencode({":output": "json", **arguments})
        headers = (("Content-Type", f"multipart/form-data; boundary={boundary}"),)
        return _decoded(self._ask("POST", f"{command}?{query}", body, headers, PASSWORD))

    def _ask(
        self, method: str, target: str, body: bytes, headers: tuple[tuple[str, str], ...], password: str
    ) -> Answer:
        credentials = base64.b64encode(f"admin:{password}".encode()).decode()
        lines = (("Authorization", f"Basic {credentials}"), *headers)
        return asyncio.run(fetch(self._port, method, f"/remote/{target}", body, lines, self._ca))


def _decoded(answer: Answer) -> Any:
    text = answer.body.decode()
    assert answer.status == 200 and text.startswith("OK:\r\n"), f"{answer.status}: {text}"
    return json.loads(text.removeprefix("OK:\r\n"))


class Managed:
    """What a test needs of the managed world."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.vendor = SigningKey.generate()
        self.update_port = free_port()
        self.console_port = free_port()
        self.console = Console(self.console_port, str(field.authority.ca))

    def updates(self, **more: Any) -> Process:
        """Start the vendor's update server with small content."""
        key, public = self.field.folder / "vendor.key", self.field.folder / "vendor.pub"
        key.write_text(signing.seed_text(self.vendor))
        public.write_text(signing.public_text(self.vendor))
        settings = {
            "listen": ["127.0.0.1"],
            "port": self.update_port,
            "root": str(self.field.folder / "vendor"),
            "increment_every_seconds": 3600,
            "full_set_bytes": 9_000_000,
            "increment_bytes": 200_000,
            "signing_key": str(key),
        } | more
        return self.field._start("updates", settings, "updates", None)

    def server(self, **more: Any) -> Process:
        """Start the server and wait for its console."""
        folder = self.field.folder
        (folder / "admin.password").write_text(PASSWORD)
        (folder / "repository").mkdir(exist_ok=True)
        source = config.SourceSite(
            name="McAfeeHttp",
            url=f"http://127.0.0.1:{self.update_port}/Products/CommonUpdater/",
            public_key=str(folder / "vendor.pub"),
        )
        settings = {
            "name": "EPO",
            "fqdn": "localhost",
            "listen": ["127.0.0.1"],
            "console_port": self.console_port,
            "database": msgspec.to_builtins(self.field.database),
            "tls": self.field.authority.issue("server", ["localhost", "127.0.0.1"]),
            "admin": {"user": "admin", "password_file": str(folder / "admin.password")},
            "repository": str(folder / "repository"),
            "state_dir": str(folder / "server"),
            "source_sites": [msgspec.to_builtins(source)],
            "signing_key": str(folder / "assc.key"),
            "server_tasks": [],
        } | more
        process = self.field._start("server", settings, "server", None)
        until(lambda: "listening on" in process.text(), what=f"the console listens: {process.log}")
        return process


@contextlib.contextmanager
def open_managed(folder: Path, database: config.Database) -> Iterator[Managed]:
    """A managed world whose processes are gone afterwards."""
    with open_field(folder, database) as field:
        yield Managed(field)
