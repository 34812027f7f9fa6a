import json
import subprocess
import sys
from collections.abc import Sequence

import pytest

from epolab.errors import MeasureError
from epolab.hands.link_probe import opened_end
from epolab.hands.run import ProgramStream


class ThisMachine:
    """Runs the measuring program here, as a container would."""

    def exec_stream(self, _: str, argv: Sequence[str]) -> ProgramStream:
        return ProgramStream([sys.executable, *argv[1:]])


class DeadStream:
    def write(self, data: bytes) -> None:
        raise BrokenPipeError

    def read_line(self, limit_seconds: float | None = None) -> bytes:
        return b""

    def complaint(self) -> str:
        return "no such container"

    def close(self) -> None:
        pass


class DeadMachine:
    def exec_stream(self, name: str, argv: Sequence[str]) -> DeadStream:
        return DeadStream()


def test_the_program_is_sent_whole_and_answers() -> None:
    with (
        opened_end(ThisMachine(), "lab.a.router", "127.7.1.1") as a,
        opened_end(ThisMachine(), "lab.b.router", "127.7.1.2") as b,
    ):
        b.ask("echo", first=0, count=3, seconds=5.0)
        a.ask("round_trips", peer=b.address, first=0, count=3, pause_ms=1.0, patience_seconds=5.0)
        assert len(a.answer()["series"]) == 3
        assert b.answer() == {"echoed": 3}


def test_an_address_that_is_not_there_is_named() -> None:
    with (
        pytest.raises(MeasureError, match=r"lab\.a\.router \(192\.0\.2\.1\)"),
        opened_end(ThisMachine(), "lab.a.router", "192.0.2.1"),
    ):
        raise AssertionError("an address of nobody was bound")


def test_a_container_that_is_gone_is_named_with_what_was_said() -> None:
    with (
        pytest.raises(MeasureError, match=r"lab\.a\.router") as caught,
        opened_end(DeadMachine(), "lab.a.router", "192.0.2.1"),
    ):
        raise AssertionError("a dead container answered")
    assert caught.value.evidence == ["no such container"]


def test_the_program_needs_nothing_but_the_standard_library() -> None:
    from inspect import getsource

    from epolab.wan import probe_program

    loaded = "import sys, json; exec(compile(sys.stdin.read(), 'p', 'exec'), {'__name__': 'p'}); "
    show = "print(json.dumps([name for name in sys.modules if name.startswith(('epolab', 'miniepo'))]))"
    argv = [sys.executable, "-I", "-S", "-c", loaded + show]
    done = subprocess.run(argv, input=getsource(probe_program), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
