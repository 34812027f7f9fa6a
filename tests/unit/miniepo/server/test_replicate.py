"""The order in which a mirror is changed: it never promises what it does not have yet."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

from nacl.signing import SigningKey

from miniepo.protocol import signing
from miniepo.protocol.content import ReplicaFile, ReplicaLog
from miniepo.repository.mirror import Delete, Difference, Put
from miniepo.server import replicate
from miniepo.server.replicate import Signer, changed_folders


def test_the_logs_of_changed_directories_follow_deepest_first() -> None:
    empty = ReplicaLog((), ())
    tree = dict.fromkeys(("", "Current", "Current/A", "Current/A/DAT", "Current/B"), empty)
    difference = Difference((Put("Current/A/DAT/x", 1, "a"), Put("catalog.z", 1, "b")), (Delete("Current/GONE"),))
    assert changed_folders(difference, tree) == ["Current/A/DAT", "Current/A", "Current"]


def test_a_master_that_changes_meanwhile_does_not_make_the_logs_lie() -> None:
    """The mirror gets the logs that were compared, so that the next replication sees what has changed since."""
    put: dict[str, object] = {}

    class Master:
        root = Path("/repository")

        def tree(self) -> dict[str, ReplicaLog]:
            raise AssertionError("the master may have changed since it was compared")

    class Target:
        async def put(self, relative: str, path: Path, sha256: str) -> None:
            put[relative] = sha256

        async def put_log(self, folder: str, log: ReplicaLog) -> None:
            put[f"{folder}/log"] = log

    log = ReplicaLog((ReplicaFile("x", 1, "ff"),), ())
    root = ReplicaLog((), ("Current",))
    difference = Difference((Put("Current/x", 1, "ff"),), ())
    asyncio.run(replicate._apply(cast(Any, Master()), cast(Any, Target()), {"": root, "Current": log}, difference))
    assert put == {"Current/x": "ff", "Current/log": log, "/log": root}


def test_nothing_changed_needs_no_log() -> None:
    assert changed_folders(Difference((), ()), {"": ReplicaLog((), ())}) == []


def test_a_change_is_signed_for_one_request() -> None:
    class Clock:
        def now(self) -> float:
            return 1000.0

        def monotonic(self) -> float:
            return 0.0

    class Entropy:
        def nonce(self) -> str:
            return "n"

        def guid(self) -> str:
            return "G"

        def uniform(self, low: float, high: float) -> float:
            return low

    key = SigningKey(b"1" * 32)
    name, value = Signer(key, Clock(), Entropy()).header("PUT", "/Software/x", "ff")
    assert name == signing.SIGNATURE_HEADER
    assert signing.verify_request("PUT", "/Software/x", value, key.verify_key, now=1000) == ("n", "ff")
