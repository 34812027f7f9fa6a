"""Work beside whoever asked for it."""

import signal
import threading
import time

import pytest

from epolab.errors import ContainerError
from epolab.hands.beside import CutShortError, all_tried, beside, side_by_side, tried


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


def test_what_was_tried_gives_what_it_found_or_how_it_failed():
    assert tried(lambda: 3).result() == 3
    with pytest.raises(IndexError):
        tried(lambda: [][0]).result()


def test_of_several_pieces_each_has_its_own_outcome():
    both = threading.Barrier(2)

    def work(number):
        both.wait(10)
        return 6 // number

    found = all_tried(work, [0, 2])
    assert found[2].result() == 3
    with pytest.raises(ZeroDivisionError):
        found[0].result()


def until_cut_short(progress, ended):
    """Work whose steps never end by themselves."""
    try:
        for number in range(1000):
            progress(f"step {number}")
            time.sleep(0.01)
    except CutShortError:
        ended.set()
        raise


def test_pieces_side_by_side_are_done_at_the_same_time_and_tell_their_steps():
    both, lines = threading.Barrier(2), []

    def work(progress):
        both.wait(10)
        progress("met")

    assert side_by_side([work, work], lines.append) == []
    assert lines == ["met", "met"]


def test_when_one_piece_fails_that_is_said_and_the_other_begins_no_further_step():
    ended, lines = threading.Event(), []

    def fail(progress):
        raise ContainerError("no room")

    [error] = side_by_side([fail, lambda progress: until_cut_short(progress, ended)], lines.append)
    assert isinstance(error, ContainerError) and ended.is_set()
    assert "that failed: no room; what is under way ends with its present step" in lines


def test_how_each_of_two_failed_is_given():
    both = threading.Barrier(2)

    def fail(progress):
        both.wait(10)
        raise ContainerError("no")

    assert [str(error) for error in side_by_side([fail, fail], lambda line: None)] == ["no", "no"]


def test_with_who_is_interrupted_its_pieces_end_before_their_next_step():
    ended = threading.Event()

    def work(progress):
        progress("begun")
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        until_cut_short(progress, ended)

    with pytest.raises(KeyboardInterrupt):
        side_by_side([work], lambda line: None)
    assert ended.wait(10)
