"""Repository Replication: the master's content goes to every SuperAgent, all of it or what differs (domain §3.5).

What differs is found by Replica.log. A mirror gets payload first, then package catalogs, then Replica.logs, then the
site's catalog, and only then loses what the master no longer has: an agent never sees a package that is half there.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from nacl.signing import SigningKey

from miniepo.clock import Clock, Entropy
from miniepo.errors import ContentError, UnreachableError, WorldError
from miniepo.protocol import content, signing
from miniepo.protocol.content import ReplicaLog
from miniepo.protocol.relay_session import Endpoint
from miniepo.repository.mirror import Difference, Put, compare
from miniepo.server.jobs import Say
from miniepo.server.master import MasterRepository
from miniepo.store.repositories import Repositories, Repository
from miniepo.wire.http_upload import UploadConnection
from miniepo.wire.stream import connect

_CONNECT_SECONDS = 5.0
_IDLE_SECONDS = 60.0
_EMPTY = "-"


@dataclass(frozen=True, slots=True)
class Signer:
    """What proves to a SuperAgent that a change comes from its server."""

    key: SigningKey
    clock: Clock
    entropy: Entropy

    def header(self, method: str, path: str, content_sha256: str) -> tuple[str, str]:
        """A header good for one request."""
        value = signing.sign_request(
            method, path, content_sha256, self.key, issued_at=self.clock.now(), nonce=self.entropy.nonce()
        )
        return (signing.SIGNATURE_HEADER, value)


class Target:
    """A SuperAgent's repository, connected."""

    def __init__(self, connection: UploadConnection, signer: Signer) -> None:
        self._connection = connection
        self._signer = signer

    async def tree(self) -> dict[str, ReplicaLog]:
        """The Replica.logs that it holds; an empty repository has none, a damaged one counts as empty there."""
        tree: dict[str, ReplicaLog] = {}
        await self._read_log("", tree)
        return tree

    async def put(self, relative: str, path: Path, sha256: str) -> None:
        """Store a file."""
        target = _url_path(relative)
        headers = [self._signer.header("PUT", f"/Software/{relative}", sha256)]
        (await self._connection.upload("PUT", target, path, headers)).expect(200, 201, 204)

    async def put_log(self, folder: str, log: ReplicaLog) -> None:
        """Store the Replica.log of a directory."""
        relative = f"{folder}/{content.REPLICA_LOG}" if folder else content.REPLICA_LOG
        text = content.write_replica_log(log.files, log.folders).encode()
        headers = [self._signer.header("PUT", f"/Software/{relative}", hashlib.sha256(text).hexdigest())]
        (await self._connection.request("PUT", _url_path(relative), text, headers)).expect(200, 201, 204)

    async def delete(self, relative: str) -> None:
        """Remove a file or a directory."""
        headers = [self._signer.header("DELETE", f"/Software/{relative}", _EMPTY)]
        answer = await self._connection.request("DELETE", _url_path(relative), b"", headers)
        answer.expect(200, 204, 404)

    async def _read_log(self, folder: str, tree: dict[str, ReplicaLog]) -> None:
        path = f"{folder}/{content.REPLICA_LOG}" if folder else content.REPLICA_LOG
        answer = (await self._connection.request("GET", _url_path(path))).expect(200, 404)
        try:
            log = content.parse_replica_log(answer.body.decode()) if answer.status == 200 else ReplicaLog((), ())
        except (ContentError, UnicodeDecodeError):
            log = ReplicaLog((), ())
        tree[folder] = log
        for name in log.folders:
            await self._read_log(f"{folder}/{name}" if folder else name, tree)


async def replicate(
    master: MasterRepository, repositories: Repositories, repository: Repository, full: bool, signer: Signer, say: Say
) -> None:
    """Make one mirror equal to the master, and record how it went; raises WorldError."""
    try:
        version = master.version()
        async with _open(repository, signer) as target:
            tree = master.tree()
            difference = compare(tree, await target.tree(), full)
            await _apply(master, target, tree, difference)
    except WorldError as error:
        await repositories.record_failure(repository.id, str(error))
        raise
    await repositories.record_replication(repository.id, version)
    await say(
        f"{repository.name}: {'full' if full else 'incremental'}, {len(difference.puts)} files with {difference.size} "
        f"bytes copied, {len(difference.deletes)} deleted, catalog version {version}"
    )


async def _apply(
    master: MasterRepository, target: Target, tree: Mapping[str, ReplicaLog], difference: Difference
) -> None:
    """Everything but the site's own files, then the Replica.logs of changed directories, then the site's files.

    The logs are those that were compared (`tree`): when the master changes meanwhile, its new ones would list files
    that did not come along, and hide files that are to be deleted.
    """
    site_files = {content.CATALOG, content.SITE_STAT}
    for put in (put for put in difference.puts if put.path not in site_files):
        await _put(master, target, put)
    for folder in changed_folders(difference, tree):
        await target.put_log(folder, tree[folder])
    for put in (put for put in difference.puts if put.path in site_files):
        await _put(master, target, put)
    for delete in difference.deletes:
        await target.delete(delete.path)
    if difference.puts or difference.deletes:
        await target.put_log("", tree[""])


def changed_folders(difference: Difference, tree: Mapping[str, ReplicaLog]) -> list[str]:
    """The directories below the root in which something changes, deepest first, and those above them."""
    paths = [put.path for put in difference.puts] + [delete.path for delete in difference.deletes]
    folders = {path.rpartition("/")[0] for path in paths}
    for folder in tuple(folders):
        while folder:
            folder = folder.rpartition("/")[0]
            folders.add(folder)
    below = (folder for folder in folders if folder and folder in tree)
    return sorted(below, key=lambda folder: (-folder.count("/"), folder))


async def _put(master: MasterRepository, target: Target, put: Put) -> None:
    await target.put(put.path, master.root / put.path, put.sha256)


@contextlib.asynccontextmanager
async def _open(repository: Repository, signer: Signer) -> AsyncIterator[Target]:
    """Connect by FQDN, then by address."""
    problems: list[str] = []
    for host in filter(None, dict.fromkeys((repository.fqdn, repository.address))):
        endpoint = Endpoint(host, repository.port)
        try:
            stream = await connect(endpoint, _CONNECT_SECONDS)
        except UnreachableError as error:
            problems.append(str(error))
            continue
        connection = UploadConnection(stream, str(endpoint), _IDLE_SECONDS)
        try:
            yield Target(connection, signer)
        finally:
            await connection.close()
        return
    raise UnreachableError(f"{repository.name} cannot be reached: {'; '.join(problems) or 'it has no address'}")


def _url_path(relative: str) -> str:
    return f"/Software/{quote(relative)}"
