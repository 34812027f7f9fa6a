"""The SuperAgent's repository on the wake-up port: serves content to agents and takes it from the server's replication.

8081/tcp is both the wake-up and the repository port (domain §1.1, source S2). What the server puts or deletes is signed
by its key; content that agents fetch is checked by them against signed catalogs.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from pathlib import Path

from nacl.signing import VerifyKey

from miniepo.agent.nonces import NonceMemory
from miniepo.agent.settings import Settings, SuperAgentSettings
from miniepo.clock import Clock
from miniepo.errors import ContentError, SignatureError, WorldError
from miniepo.log import logger
from miniepo.protocol import signing
from miniepo.repository import serve
from miniepo.wire.http_request import Request
from miniepo.wire.http_response import Response

MAX_FILE_BYTES = 1 << 30

_log = logger("superagent.repository")


class RepositoryRole:
    """The policy category `superagent`."""

    name = "superagent"

    def __init__(self, server_key: VerifyKey, nonces: NonceMemory, clock: Clock) -> None:
        self._server_key = server_key
        self._nonces = nonces
        self._clock = clock
        self._port = 0
        self._in_force = SuperAgentSettings()

    @property
    def active(self) -> bool:
        return self._in_force.enabled

    def enforce(self, settings: Settings) -> tuple[str, ...]:
        wanted = settings.superagent
        self._port = settings.wakeup_port
        if wanted.repository:
            try:
                Path(wanted.folder).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                self._in_force = SuperAgentSettings()
                return (f"SuperAgent repository {wanted.folder}: {error.strerror}",)
        if wanted != self._in_force:
            _log.info("SuperAgent is %s", "on" if wanted.enabled else "off")
        self._in_force = wanted
        return ()

    def properties(self) -> dict[str, str]:
        settings = self._in_force
        if not settings.enabled:
            return {"SuperAgent.Enabled": "0"}
        return {
            "SuperAgent.Enabled": "1",
            "SuperAgent.Repository": "1" if settings.repository else "0",
            "SuperAgent.Port": str(self._port),
        }

    async def handle(self, request: Request) -> Response | None:
        if not self._in_force.repository or not request.path.startswith(serve.PREFIX):
            return None
        root = Path(self._in_force.folder)
        if request.method in ("GET", "HEAD"):
            return serve.answer(root, request.path)
        if request.method not in ("PUT", "DELETE"):
            return Response(405, b"method not allowed\n", headers=(("Allow", "GET, HEAD, PUT, DELETE"),))
        try:
            return await self._change(request, root)
        except WorldError as error:
            _log.warning("%s %s from %s refused: %s", request.method, request.path, request.peer, error)
            return Response(403, f"{error}\n".encode())

    async def _change(self, request: Request, root: Path) -> Response:
        relative = serve.relative_path(request.path)
        if relative is None:
            raise ContentError(f"{request.path} is no path of a repository")
        now = self._clock.now()
        header = request.headers.get(signing.SIGNATURE_HEADER.lower(), "")
        nonce, sha256 = signing.verify_request(request.method, request.path, header, self._server_key, now=now)
        self._nonces.use(nonce, now)
        if request.method == "DELETE":
            remove(root / relative)
            return Response(204)
        await _store(request, root / relative, sha256)
        return Response(201)


async def _store(request: Request, path: Path, sha256: str) -> None:
    """Receive a file beside its place and rename it when it is what was signed."""
    _make_folder(path.parent)
    arriving = path.with_name(f".{path.name}.arriving")
    try:
        digest = hashlib.sha256()
        length = 0
        with arriving.open("wb") as opened:
            while (data := await request.piece()) is not None:
                length += len(data)
                if length > MAX_FILE_BYTES:
                    raise ContentError(f"{path.name}: more than {MAX_FILE_BYTES} bytes")
                digest.update(data)
                opened.write(data)
        if digest.hexdigest() != sha256:
            raise SignatureError(f"{path.name}: the content is not what was signed")
        arriving.replace(path)
    finally:
        arriving.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    """A directory where a file was before takes its place."""
    for part in (*reversed(folder.parents), folder):
        if part.is_file():
            part.unlink()
    folder.mkdir(parents=True, exist_ok=True)


def remove(path: Path) -> None:
    """Delete a file or a directory with all in it; one that is gone is deleted."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
        return
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
