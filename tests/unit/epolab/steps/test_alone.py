"""Being alone on a lab, after those who are on it."""

import os

import pytest

from epolab.errors import LabBusyError
from epolab.steps.alone import alone
from epolab.verify.turns import turn


def test_a_lab_that_nobody_is_on_is_had_without_a_word(tmp_path):
    said = []
    with alone(tmp_path, said.append), pytest.raises(LabBusyError), turn(tmp_path, alone=False, limit_seconds=0):
        raise AssertionError("not alone")
    assert said == []


def test_whoever_waits_says_for_whom(tmp_path):
    said = []
    with (
        turn(tmp_path, alone=False),
        pytest.raises(LabBusyError, match="examined"),
        alone(tmp_path, said.append, limit_seconds=0.5),
    ):
        raise AssertionError("not alone")
    (line,) = said
    assert line.startswith(f"waiting: the lab is examined or measured by process {os.getpid()} (")
