"""A turn is kept while the place stays the same, and others wait for what goes alone."""

from pathlib import Path

import pytest

from epolab.errors import LabBusyError
from epolab.verify.turns import Turns, turn


def is_free(folder: Path, *, alone: bool) -> bool:
    try:
        with turn(folder, alone=alone, limit_seconds=0):
            return True
    except LabBusyError:
        return False


def test_who_looks_shares_and_who_disturbs_does_not(tmp_path: Path) -> None:
    turns = Turns(tmp_path)
    turns.enter("looking", alone=False)
    assert (is_free(tmp_path, alone=False), is_free(tmp_path, alone=True)) == (True, False)
    turns.enter("disturbing", alone=True)
    assert (is_free(tmp_path, alone=False), is_free(tmp_path, alone=True)) == (False, False)
    turns.leave()
    assert is_free(tmp_path, alone=True)


def test_a_turn_is_kept_from_check_to_check_of_a_place(tmp_path: Path) -> None:
    turns = Turns(tmp_path, limit_seconds=0)
    turns.enter("disturbing", alone=True)
    turns.enter("disturbing", alone=True)
    turns.leave()
    turns.leave()
    assert is_free(tmp_path, alone=True)


def test_a_turn_that_does_not_come_is_told(tmp_path: Path) -> None:
    turns = Turns(tmp_path, limit_seconds=0)
    with turn(tmp_path, alone=True), pytest.raises(LabBusyError):
        turns.enter("looking", alone=False)
    turns.enter("looking", alone=False)
    assert not is_free(tmp_path, alone=True)
    turns.leave()
