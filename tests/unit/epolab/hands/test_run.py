"""Other programs, run to their end or spoken to by lines."""

import os

import pytest

from epolab.errors import CommandFailedError, TimeoutExceededError, ToolMissingError
from epolab.hands.run import ProgramStream, is_reader_gone, run, run_attached, run_checked


def test_a_program_that_fails_is_an_answer():
    done = run(["sh", "-c", "cat; echo no >&2; exit 3"], stdin=b"yes")
    assert (done.exit_code, done.text, done.complaint) == (3, "yes", "no")


def test_a_program_that_must_succeed():
    assert run_checked(["echo", "hi"]).text == "hi\n"
    with pytest.raises(CommandFailedError) as failed:
        run_checked(["sh", "-c", "echo one >&2; exit 1"])
    assert failed.value.evidence == ["one"]


def test_a_program_that_is_not_there():
    for call in (run, run_attached, ProgramStream):
        with pytest.raises(ToolMissingError):
            call(["no-such-program"])


def test_a_program_that_takes_too_long():
    with pytest.raises(TimeoutExceededError):
        run(["sleep", "10"], limit_seconds=0.1)


def test_a_programs_exit_code_is_kept_on_the_terminal_too():
    assert run_attached(["sh", "-c", "exit 7"]) == 7


def test_a_stream_is_spoken_to_by_lines():
    stream = ProgramStream(["cat"])
    stream.write(b"one\n")
    assert stream.read_line() == b"one\n"
    stream.close()


def test_a_line_that_does_not_come_in_time_ends_the_program():
    stream = ProgramStream(["sh", "-c", "echo one; exec sleep 60"])
    assert stream.read_line(limit_seconds=60) == b"one\n"
    with pytest.raises(TimeoutExceededError, match=r"no answer within 0\.1 s"):
        stream.read_line(limit_seconds=0.1)
    assert stream.read_line() == b""
    stream.close()


def test_a_stream_that_ended_says_why():
    stream = ProgramStream(["sh", "-c", "echo broken >&2"])
    assert stream.read_line() == b""
    assert stream.complaint() == "broken"
    stream.close()


def test_a_program_that_does_not_listen_is_ended():
    stream = ProgramStream(["sh", "-c", "exec <&-; sleep 60"])
    stream.close()


def test_a_reader_that_went_away_is_noticed():
    reading, writing = os.pipe()
    assert not is_reader_gone(writing)
    os.close(reading)
    assert is_reader_gone(writing)
    os.close(writing)


def test_a_file_needs_no_reader(tmp_path):
    with (tmp_path / "out").open("w") as file:
        assert not is_reader_gone(file.fileno())
