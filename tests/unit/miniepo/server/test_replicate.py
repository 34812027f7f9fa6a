"""The order in which a mirror is changed: it never promises what it does not have yet."""

from __future__ import annotations

from nacl.signing import SigningKey

from miniepo.protocol import signing
from miniepo.protocol.content import ReplicaLog
from miniepo.repository.mirror import Delete, Difference, Put
from miniepo.server.replicate import Signer, changed_folders


def test_the_logs_of_changed_directories_follow_deepest_first() -> None:
    empty = ReplicaLog((), ())
    tree = dict.fromkeys(("", "Current", "Current/A", "Current/A/DAT", "Current/B"), empty)
    difference = Difference((Put("Current/A/DAT/x", 1, "a"), Put("catalog.z", 1, "b")), (Delete("Current/GONE"),))
    assert changed_folders(difference, tree) == ["Current/A/DAT", "Current/A", "Current"]


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
