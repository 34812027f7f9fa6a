"""Mirrors compared with their master."""

from epolab.verify.content import differences


def test_what_is_missing_strange_or_altered_is_told() -> None:
    master = {"a": "1" * 64, "b": "2" * 64}
    assert differences(master, master) == []
    assert differences(master, {"b": "3" * 64, "c": "4" * 64}) == [
        "a is missing",
        "c is there and not at the master",
        "b has SHA-256 333333333333…, the master's has 222222222222…",
    ]
