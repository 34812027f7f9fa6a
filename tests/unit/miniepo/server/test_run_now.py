"""Which systems tasks can be run on now, and how reports and rows are read."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.run_now import PRODUCT, TASK_STATUS, Segments
from miniepo.server.run_now import RunNow, segments_of, why_not
from miniepo.store.subtasks import Subtask
from miniepo.store.systems import System
from tests.unit.miniepo.standins import SetClock


def system(guid: str | None, version: str | None) -> System:
    return System(
        id=1, group_id=2, group_path="My Organization", name="pc-1", guid=guid, version=version, last_update=None,
        public_key=None, props_version="", policy_version="", tasks_version="", sitelist_version="", problems="",
        last_wakeup_id=None, via_relay=None, remote_address="", computer_name="pc-1", fqdn="pc-1.test",
        address="10.0.0.1", ipv6="", last_handler_id=None, properties={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("guid", "version", "epo", "reason"),
    [
        ("GUID-1", "4.6.0", "4.6.0", ""),
        ("GUID-1", "5.0.6", "5.9.1", ""),
        ("GUID-1", "4.5.0", "5.9.1", "agent 4.5.0 is older than 4.6"),
        ("GUID-1", None, "5.9.1", "agent of unknown version is older than 4.6"),
        ("GUID-1", "5.0.6", "4.5.0", "ePO 4.5.0 is older than 4.6"),
        (None, None, "5.9.1", "it has no agent"),
    ],
)
def test_epo_and_agent_have_to_be_new_enough(guid: str | None, version: str | None, epo: str, reason: str) -> None:
    assert why_not(system(guid, version), epo) == reason


def test_segments_come_back_from_the_database_as_they_went_in() -> None:
    row = Subtask(1, 42, "G", 1, "pc-1", "Stopped", "Success", "Success", "Failure", 40, datetime.now(UTC), None)
    assert segments_of(row) == Segments("Stopped", "Success", "Success", "Failure", 40)


class Subtasks:
    """One subtask, and what is recorded of it."""

    def __init__(self, segment: str) -> None:
        values = "In Progress", segment, segment, segment, None
        self._subtask = Subtask(1, 42, "G", 1, "pc-1", *values, datetime.now(UTC), None)
        self.recorded: list[object] = []

    async def of_agent(self, *_: object) -> Subtask:
        return self._subtask

    async def record(self, *values: object) -> None:
        self.recorded.append(values)

    def register(self, *_: object) -> None:
        """As the channel."""


@pytest.mark.parametrize(("segment", "recorded"), [("Progress", 1), ("", 0)])
def test_a_late_report_counts_only_for_an_entry_of_this_kind(segment: str, recorded: int) -> None:
    subtasks = Subtasks(segment)
    run_now = RunNow(
        cast(Any, SimpleNamespace(subtasks=subtasks)), cast(Any, subtasks), cast(Any, None), "5.9.1", SetClock()
    )
    payload = {"status": "succeeded", "percent": 100}
    late = ChannelMessage(id="1", product=PRODUCT, kind=TASK_STATUS, correlation="42", payload=payload, expires=0)
    asyncio.run(run_now.received("G", [late]))
    assert len(subtasks.recorded) == recorded
