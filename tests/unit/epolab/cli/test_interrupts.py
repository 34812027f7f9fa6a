"""What a signal does before, during and after the work."""

import json
import os
import signal
from collections.abc import Iterator

import pytest

from epolab.cli import interrupts
from epolab.cli.interrupts import Interrupts
from epolab.errors import InterruptedByUserError


@pytest.fixture(autouse=True)
def kept_signals() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in interrupts.STOPPING}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_the_document_written_by_hand_has_the_shape_of_the_error() -> None:
    written = json.loads(interrupts.DOCUMENT)["error"]
    error = InterruptedByUserError("interrupted before anything was begun", hint="the same command again")
    assert written == error.document()
    assert error.exit_code == interrupts.EXIT_CODE


def test_before_the_work_it_ends_the_command_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    child = os.fork()
    if child == 0:
        Interrupts.install(["--json", "ls"])
        os.kill(os.getpid(), signal.SIGINT)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 130
    assert json.loads(capfd.readouterr().out)["error"]["code"] == "interrupted"


def test_the_work_hears_of_it_and_what_comes_after_does_not() -> None:
    held = Interrupts.install([])
    held.work_begins()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    held.work_is_over()
    os.kill(os.getpid(), signal.SIGINT)


def test_the_same_signal_twice_in_a_moment_is_one_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    Interrupts.install([]).work_begins()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
    monkeypatch.setattr(interrupts, "ONE_STOP_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP], ids=["in the background", "nohup"])
def test_what_was_ignored_from_outside_stays_ignored(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)
    held = Interrupts.install([])
    held.work_begins()
    assert signal.getsignal(number) == signal.SIG_IGN


def test_without_signals_nothing_is_touched() -> None:
    before = signal.getsignal(signal.SIGINT)
    Interrupts().work_begins()
    assert signal.getsignal(signal.SIGINT) == before
