"""The journal: what is noted is put back, by this command or by the next."""

from pathlib import Path

import pytest

from epolab.errors import WorldError
from epolab.hands.journal import Journal, Undo

FIRST = Undo("hq/pc", "sv up cmdagent", "agent stopped")
SECOND = Undo("hq/epo", "sv up handler", "handler stopped")


def test_what_was_disturbed_is_put_back_last_first_also_after_a_failure(tmp_path: Path) -> None:
    done: list[Undo] = []
    journal = Journal(tmp_path / "journal", done.append)
    with pytest.raises(RuntimeError), journal.undone_by(FIRST, SECOND):
        raise RuntimeError
    assert done == [SECOND, FIRST]
    assert journal.pending() == ()


def test_a_note_outlives_its_writer_and_is_replayed_once(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def dying(_: Undo) -> None:
        raise Killed

    with pytest.raises(Killed), Journal(tmp_path, dying).undone_by(FIRST):
        pass
    done: list[Undo] = []
    later = Journal(tmp_path, done.append)
    assert later.replay() == (FIRST,)
    assert later.replay() == ()
    assert done == [FIRST]


def test_a_note_stays_when_putting_back_fails(tmp_path: Path) -> None:
    def failing(_: Undo) -> None:
        raise OSError("node is down")

    journal = Journal(tmp_path, failing)
    with pytest.raises(OSError, match="node is down"), journal.undone_by(FIRST):
        pass
    assert [undo for _, undo in journal.pending()] == [FIRST]


def test_one_failure_keeps_nothing_else_from_being_put_back(tmp_path: Path) -> None:
    done: list[Undo] = []

    def failing_once(undo: Undo) -> None:
        if undo == SECOND:
            raise WorldError("node is down")
        done.append(undo)

    journal = Journal(tmp_path, failing_once)
    with pytest.raises(WorldError), journal.undone_by(FIRST, SECOND):
        pass
    assert (done, [undo for _, undo in journal.pending()]) == ([FIRST], [SECOND])
    journal._note(FIRST)
    with pytest.raises(WorldError, match="node is down"):
        journal.replay()
    assert (done, [undo for _, undo in journal.pending()]) == ([FIRST, FIRST], [SECOND])


def test_a_note_is_restored_dropped_or_kept_as_it_is_told(tmp_path: Path) -> None:
    stored = Undo("hq/epo", "delete policy", "policy", keepers=("hq/sql",))
    done: list[Undo] = []
    journal = Journal(tmp_path, done.append)
    for undo in (FIRST, SECOND, stored):
        journal._note(undo)
    fates = {FIRST: "restore", SECOND: "drop", stored: "keep"}
    assert journal.replay(lambda undo, _: fates[undo]) == (FIRST,)  # type: ignore[return-value]
    assert done == [FIRST]
    assert [undo for _, undo in journal.pending()] == [stored]
