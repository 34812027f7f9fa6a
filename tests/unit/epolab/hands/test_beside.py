"""Work beside whoever asked for it."""

import threading

import pytest

from epolab.errors import ContainerError
from epolab.hands.beside import beside


def test_nobody_is_held_up_by_it():
    gate = threading.Event()
    future = beside(lambda: gate.wait(10))
    assert not future.done()
    gate.set()
    assert future.result(10) is True


def test_a_failure_is_told_to_whoever_asks():
    def fail():
        raise ContainerError("no")

    with pytest.raises(ContainerError, match="no"):
        beside(fail).result(10)
