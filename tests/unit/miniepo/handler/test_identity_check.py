"""Who may keep a GUID, call by call."""

from __future__ import annotations

import pytest

from miniepo.handler.identity_check import SEQUENCE_ERRORS, Machine, Verdict, judge

KNOWN = Machine("pc-1", "020A01000007", 41)
FINE = Verdict("", 0)


@pytest.mark.parametrize(
    ("calling", "what"),
    [
        (Machine("pc-1", "020A01000007", 42), "the same"),
        (Machine("PC-1", "020a01000007", 99), "written otherwise"),
        (Machine("pc-9", "020A01000007", 42), "renamed"),
        (Machine("pc-1", "020A01000099", 42), "with another card"),
        (Machine("pc-9", "", 42), "without a card that it knows"),
        (Machine("", "", 0), "an agent that tells nothing of it"),
    ],
)
def test_one_machine_keeps_its_guid(calling: Machine, what: str) -> None:
    assert judge(KNOWN, calling, 0, asked_for=False) == FINE, what


def test_a_clone_with_another_name_and_card_is_told_at_its_first_call() -> None:
    clone = Machine("pc-2", "020A01000008", 42)
    assert judge(KNOWN, clone, 0, asked_for=False) == Verdict("the GUID is that of pc-1", 0)


def test_nobody_is_known_before_the_first_properties() -> None:
    assert judge(Machine("pc-1", "", 0), Machine("pc-2", "020A01000008", 1), 0, asked_for=False) == FINE


def test_who_is_asked_to_gets_a_new_guid() -> None:
    assert judge(KNOWN, Machine("pc-1", "020A01000007", 42), 2, asked_for=True) == Verdict(
        "a new GUID was asked for", 2
    )


def test_a_machine_put_back_to_a_snapshot_makes_one_error_and_goes_on() -> None:
    known, errors = KNOWN, 0
    for number in (30, 31, 32, 33):
        verdict = judge(known, Machine("pc-1", "020A01000007", number), errors, asked_for=False)
        assert not verdict.regenerate
        known, errors = Machine("pc-1", "020A01000007", number), verdict.sequence_errors
    assert errors == 1


def test_rare_errors_never_make_a_new_guid() -> None:
    known, errors = KNOWN, 0
    for number in range(42, 1042):
        numbers = (number, number - 1, number) if number % 60 == 0 else (number,)
        for each in numbers:
            verdict = judge(known, Machine("pc-1", "020A01000007", each), errors, asked_for=False)
            assert not verdict.regenerate
            known, errors = Machine("pc-1", "020A01000007", each), verdict.sequence_errors


def test_a_clone_that_kept_name_and_card_is_found_by_its_counting() -> None:
    known, errors, told = KNOWN, 0, ""
    calls = [number for pair in zip(range(42, 60), range(42, 60), strict=True) for number in pair]
    made = 0
    for number in calls:
        verdict = judge(known, Machine("pc-1", "020A01000007", number), errors, asked_for=False)
        known, errors, told = Machine("pc-1", "020A01000007", number), verdict.sequence_errors, verdict.regenerate
        made += 1
        if told:
            break
    assert "may be on two machines" in told
    assert made == 2 * (SEQUENCE_ERRORS + 1)
