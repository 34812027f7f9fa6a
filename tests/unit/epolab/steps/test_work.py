"""Steps taken in order, remembered by the digest of their inputs."""

import pytest

from epolab.errors import EngineError
from epolab.hands.files import LabFolder
from epolab.steps.progress import Silent
from epolab.steps.work import Step, Work, read_done, take, write_done


class Recorder(Silent):
    def __init__(self):
        self.heard = []

    def begin(self, step):
        self.heard.append(("begin", step))

    def end(self, step, seconds, *, skipped):
        self.heard.append(("end", step, skipped))


@pytest.fixture(name="work")
def work_fixture(topology, runtime, tmp_path):
    return Work(topology, "lab", "me", None, runtime, LabFolder(tmp_path / "lab").make(), Recorder())


def test_steps_are_taken_in_order_and_timed(work):
    take(work, (Step("one", lambda w: True), Step("two", lambda w: False)))
    assert work.progress.heard == [("begin", "one"), ("end", "one", False), ("begin", "two"), ("end", "two", True)]
    assert set(work.timings) == {"one", "two"}


def test_a_failed_step_ends_the_way(work):
    def fail(_work):
        raise EngineError("no")

    with pytest.raises(EngineError):
        take(work, (Step("one", fail), Step("two", lambda w: True)))
    assert work.progress.heard == [("begin", "one")]


def test_what_was_done_is_remembered_and_forgotten(work):
    assert read_done(work, "engine") is None
    write_done(work, "engine", "abc")
    write_done(work, "measure", "def")
    assert (read_done(work, "engine"), read_done(work, "measure")) == ("abc", "def")
    write_done(work, "engine", None)
    assert (read_done(work, "engine"), read_done(work, "measure")) == (None, "def")
