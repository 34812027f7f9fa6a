"""What the live view of an action shows, and when the whole has ended."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from miniepo.protocol.run_now import Segments
from miniepo.server.run_now_action import GRACE_SECONDS, Action
from miniepo.store.subtasks import Subtask

DONE = Segments("Completed", "Success", "Success", "Success", 100)


def subtask(id: int, guid: str | None) -> Subtask:
    return Subtask(id, 42, guid, id * 10, f"pc-{id}", "In Progress", "", "", "", None, datetime.now(UTC), None)


def action() -> Action:
    return Action(42, "Scan", [subtask(1, "GUID-1"), subtask(2, "GUID-2")], 5, 3600, 100)


def test_an_agent_finds_its_own_subtask_only() -> None:
    own = action()
    found = own.of_agent("GUID-2")
    assert found is not None and found.name == "pc-2"
    assert own.of_agent("GUID-3") is None
    assert own.view()["subtasks"][0] == {
        "computerName": "pc-1",
        "agentGuid": "GUID-1",
        "systemId": 10,
        "state": "In Progress",
        "send": "Progress",
        "start": "Progress",
        "progress": "Progress",
        "percent": 0,
        "message": "",
    }


def test_an_agent_with_a_new_guid_finds_the_subtask_of_its_system() -> None:
    own = action()
    assert own.now_has(20, "NEW") is own.of_agent("NEW") is own.of_agent("GUID-2") is not None
    assert own.now_has(30, "OTHER") is own.of_agent("OTHER") is None


def test_the_first_report_is_waited_for_as_long_as_the_request_and_the_next_ones_longer() -> None:
    own = action()
    first, _ = own.follows.values()
    assert (first.heard, own.sent(), own.patience_seconds(first)) == (100, [], 5 * 60 + GRACE_SECONDS)
    own.take(first, Segments("Waiting", "Success"), "waiting")
    assert (own.sent(), own.patience_seconds(first)) == ([first], 3600)
    own.take(first, DONE, "succeeded")
    assert own.sent() == []


def test_the_whole_ends_with_its_last_subtask() -> None:
    own = action()
    first, second = own.follows.values()
    own.take(first, DONE, "succeeded")
    assert own.outcome() is None and own.unsent() == [second] and own.view()["state"] == "In Progress"
    own.take(second, Segments("Failed", "Success", "Success", "Failure"), "failed")
    own.take(second, Segments("Failed", "Success", "Success", "Failure"), "after the end: failed")
    assert own.outcome() == "Failed" and own.view()["state"] == "Failed" and own.unsent() == []
    assert (own.view()["revision"], second.message) == (3, "after the end: failed")


def test_who_watches_is_told_of_the_next_change_and_not_kept_after_the_end() -> None:
    async def watched() -> int:
        own = action()
        first, second = own.follows.values()
        looking = asyncio.create_task(own.changed(0, 60))
        await asyncio.sleep(0)
        assert not looking.done()
        own.take(first, DONE, "succeeded")
        await looking
        await own.changed(0, 60)
        await own.changed(1, 0.001)
        own.take(second, DONE, "succeeded")
        await own.changed(own.revision, 60)
        return own.revision

    assert asyncio.run(watched()) == 2
