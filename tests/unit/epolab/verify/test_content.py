"""Packages nobody has seen, and mirrors compared with their master."""

from epolab.verify.content import differences, random_package


def test_a_package_is_new_each_time() -> None:
    first, second = random_package(100), random_package(100)
    assert first.version != second.version
    assert len(first.data) == 100
    assert first.sha256 != second.sha256


def test_what_is_missing_strange_or_altered_is_told() -> None:
    master = {"a": "1" * 64, "b": "2" * 64}
    assert differences(master, master) == []
    assert differences(master, {"b": "3" * 64, "c": "4" * 64}) == [
        "a is missing",
        "c is there and not at the master",
        "b has SHA-256 333333333333…, the master's has 222222222222…",
    ]
