"""Processes told apart by number and start, and those that a killed command left."""

import os
import signal
import subprocess
import sys

import pytest

from epolab.hands.process import (
    SESSION_VARIABLE,
    Creator,
    end_children,
    end_leftovers,
    is_alive,
    leftovers,
    mark_session,
    started,
    this_process,
)

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_this_process_is_alive_and_another_of_its_number_is_not():
    me = this_process()
    assert is_alive(me)
    assert not is_alive(Creator(me.host, me.pid, "1"))
    assert me.document() == {"host": me.host, "pid": os.getpid(), "started": me.started}


def test_who_runs_elsewhere_is_taken_to_be_alive():
    assert is_alive(Creator("elsewhere", 1, "1"))


def test_a_zombie_has_ended():
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert started(child.pid) is None
    child.wait()


@pytest.fixture(name="start")
def start_fixture():
    children = []

    def start(mark):
        child = subprocess.Popen(SLEEPER, env={**os.environ, SESSION_VARIABLE: mark})
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.wait()


def test_only_what_a_dead_command_on_this_lab_left_is_ended(start, tmp_path):
    me = this_process()
    mine = start(f"{me.pid}:{me.started}:{tmp_path}")
    orphan = start(f"{me.pid}:1:{tmp_path}")
    others = start(f"{me.pid}:1:{tmp_path}/other")
    assert leftovers(tmp_path) == [orphan.pid]
    assert end_leftovers(tmp_path) == [orphan.pid]
    assert orphan.wait() == -signal.SIGKILL
    assert (mine.poll(), others.poll()) == (None, None)


def test_what_this_command_started_is_ended(monkeypatch, tmp_path):
    monkeypatch.setenv(SESSION_VARIABLE, "")
    mark_session(tmp_path)
    child = subprocess.Popen(SLEEPER)
    end_children()
    assert child.wait() == -signal.SIGKILL
