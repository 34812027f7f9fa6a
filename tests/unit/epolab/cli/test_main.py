"""The console script as a shell starts it: stopped at early moments, and with nobody to take its words."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
MINIMAL = ROOT / "topologies/minimal.yaml"
# as the installed script does it; the first word comes at the first moment that is ours
SCRIPT = (
    "import os, re, sys; from epolab.cli.main import main; from epolab.cli.interrupts import Interrupts;"
    "real = Interrupts.install;"
    "Interrupts.install = classmethod(lambda cls, argv: (real(argv), os.write(2, b'!'))[0]); sys.exit(main())"
)


def start(*argv: str | Path, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", SCRIPT, *map(str, argv)]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.1, 0.2, 0.4])
def test_stopped_at_an_early_moment_there_is_one_document_and_130(delay: float, number: signal.Signals) -> None:
    with start("--json", "validate", "/dev/stdin") as process:
        assert process.stderr is not None
        assert process.stderr.read(1) == "!"
        time.sleep(delay)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
    assert "Traceback" not in stderr
    assert process.returncode == 130, stderr
    assert json.loads(stdout)["error"]["code"] == "interrupted"
    assert re.search("before anything was|nothing was", json.loads(stdout)["error"]["message"])


def test_a_command_that_was_told_to_ignore_ctrl_c_does() -> None:
    shell = f"trap '' INT; exec {sys.executable} -c \"$0\" validate {MINIMAL}"
    with subprocess.Popen(["sh", "-c", shell, SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert process.stderr.read(1) == b"!"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.mark.parametrize("argv", [["validate", MINIMAL], ["--json", "ls", "--fly"], ["--help"]])
def test_words_that_nobody_takes_are_a_failure_in_one_line(argv: list[str | Path]) -> None:
    with Path("/dev/full").open("w") as full, start(*argv, stdout=full.fileno()) as process:
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 4
    assert stderr.splitlines()[-1].strip("!") == "error: the output cannot be written: No space left on device"
    assert "Traceback" not in stderr
    assert "Exception ignored" not in stderr


def test_a_reader_that_went_away_is_a_failure_in_one_line() -> None:
    with start("validate", MINIMAL) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        stderr = process.stderr.read()
    assert process.returncode == 4
    assert "Traceback" not in stderr
    assert len(stderr.strip("!\n").splitlines()) == 1
