"""Times are written with their offset; what is drawn is not drawn twice."""

from __future__ import annotations

from miniepo.clock import SystemClock, SystemEntropy, iso_utc


def test_seconds_become_iso_with_an_offset() -> None:
    assert iso_utc(0) == "1970-01-01T00:00:00+00:00"


def test_a_guid_is_upper_case_without_braces() -> None:
    guid = SystemEntropy().guid()
    assert guid == guid.upper() and len(guid) == 36 and guid.count("-") == 4


def test_nonces_differ_and_uniform_stays_inside() -> None:
    entropy = SystemEntropy()
    assert len({entropy.nonce() for _ in range(100)}) == 100
    assert all(2 <= entropy.uniform(2, 3) <= 3 for _ in range(100))


def test_the_clock_does_not_go_back() -> None:
    clock = SystemClock()
    assert clock.now() > 1_700_000_000
    first = clock.monotonic()
    assert clock.monotonic() >= first
