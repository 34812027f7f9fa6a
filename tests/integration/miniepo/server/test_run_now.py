"""Run Client Task Now with everything real: server, handler, database, agents, and kills in between."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from field import until
from running_now import PRODUCT, RunNowWorld, open_run_now, segments

from miniepo.agent.datachannel_box import Box
from miniepo.agent.folder import Directory
from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.run_now import NO_FINAL_STATUS, RUN_TASK

pytestmark = pytest.mark.integration
GREEN = ("Success", "Success", "Success")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, cluster: Any) -> Iterator[RunNowWorld]:
    """One world for all tests of this file; each has agents of its own."""
    with open_run_now(tmp_path_factory.mktemp("run-now"), cluster.create_database("run_now")) as made:
        yield made


def test_a_task_runs_at_once_without_a_call_in_and_shows_its_three_segments(world: RunNowWorld) -> None:
    agent = world.agent("pc1-1")
    calls = len(world.console.json("miniepo.listCallins", name="pc1-1"))
    log_id = world.run(world.scan_task("Scan"), "pc1-1")
    row = world.ended(log_id, "pc1-1")
    assert (segments(row), row["state"], row["percent"]) == (GREEN, "Completed", 100), world.messages(log_id)
    assert row["agentGuid"] == agent.status()["guid"] and world.entry(log_id)["state"] == "Completed"
    told = world.messages(log_id, "pc1-1")
    assert told[:2] == ["sent", "started"] and told[-1].startswith("succeeded: ")
    assert any(line.startswith("progress ") for line in told)
    assert len(world.console.json("miniepo.listCallins", name="pc1-1")) == calls


def test_an_agent_that_cannot_be_told_runs_it_after_its_next_call_in(world: RunNowWorld) -> None:
    agent = world.agent("pc2-1", listen=["127.0.0.9"])
    log_id = world.run(world.scan_task("Scan"), "pc2-1")
    until(lambda: world.attempts(log_id), what="the handler has tried to tell the agent")
    assert segments(world.subtasks(log_id)["pc2-1"]) == ("Progress", "Progress", "Progress")
    agent.ctl("callin")
    assert segments(world.ended(log_id, "pc2-1")) == GREEN


def test_the_view_is_live_and_cannot_be_reopened(world: RunNowWorld) -> None:
    world.agent("pc3-1")
    log_id = world.run(world.scan_task("Slow", seconds=2), "pc3-1")
    seen: list[int] = []
    view = world.console.json("miniepo.watchRunNow", taskLogId=log_id)
    while view["state"] == "In Progress":
        view = world.console.json("miniepo.watchRunNow", taskLogId=log_id, revision=view["revision"], waitSeconds=10)
        seen.append(view["subtasks"][0]["percent"])
    assert view["state"] == "Completed" and seen == sorted(seen) and len(set(seen) - {0, 100}) >= 3
    assert world.console.json("miniepo.closeRunNow", taskLogId=log_id) is True
    reply = world.console.raw("miniepo.watchRunNow", taskLogId=str(log_id)).body.decode()
    assert reply.startswith("Error 2 :") and "cannot be reopened" in reply
    assert segments(world.subtasks(log_id)["pc3-1"]) == GREEN


def test_systems_and_tasks_that_are_not_there_and_too_many_systems_are_refused(world: RunNowWorld) -> None:
    world.agent("pc4-1")
    task, before = world.scan_task("Scan"), world.entries()

    def error(names: str, task_id: int = task, product: str = PRODUCT) -> str:
        reply = world.console.raw("clienttask.run", names=names, productId=product, taskId=str(task_id))
        return reply.body.decode()

    assert "there is no system pc4-9" in error("pc4-1,pc4-9")
    assert "there is no client task 99" in error("pc4-1", 99)
    assert "there is no product VIRUSCAN" in error("pc4-1", product="VIRUSCAN")
    properties = world.field.folder / "server/conf/epo/epo.properties"
    assert "clienttask.runnow.system.limit=999" in properties.read_text().splitlines()
    written = properties.read_text()
    properties.write_text("clienttask.runnow.system.limit=0\n")
    assert "clienttask.runnow.system.limit = 0" in error("pc4-1")
    properties.write_text(written)
    assert world.entries() == before


def test_an_old_agent_is_refused_in_its_subtask(world: RunNowWorld) -> None:
    world.agent("pc5-1")
    world.agent("old-5", version="4.5.0")
    log_id = world.run(world.scan_task("Scan"), "pc5-1", "old-5")
    assert segments(world.ended(log_id, "pc5-1")) == GREEN
    old = world.subtasks(log_id)["old-5"]
    assert (old["state"], old["send"]) == ("Failed", "Failure")
    assert world.messages(log_id, "old-5") == ["refused: agent 4.5.0 is older than 4.6"]
    assert until(lambda: world.entry(log_id)["endDate"]) and world.entry(log_id)["state"] == "Failed"


def test_a_request_that_nobody_fetches_expires_and_a_task_that_takes_too_long_is_stopped(world: RunNowWorld) -> None:
    away = world.agent("away-6")
    away.process.stop()
    world.agent("pc6-1")
    log_id = world.run(
        world.scan_task("Slow", seconds=60), "away-6", "pc6-1", abortAfterMinutes=0.05, stopAfterMinutes=0.02
    )
    stopped = world.ended(log_id, "pc6-1")
    assert (stopped["state"], segments(stopped)) == ("Stopped", ("Success", "Success", "Failure"))
    assert world.ended(log_id, "away-6")["state"] == "Failed"
    assert world.messages(log_id, "away-6") == ["expired: not fetched within 0.05 minutes"]


def test_an_agent_that_is_stopped_says_that_nobody_will_know(world: RunNowWorld) -> None:
    agent = world.agent("pc7-1")
    log_id = world.run(world.scan_task("Slow", seconds=60), "pc7-1")
    until(lambda: world.subtasks(log_id)["pc7-1"]["start"] == "Success")
    agent.process.stop()
    row = world.ended(log_id, "pc7-1", seconds=1)
    assert (row["state"], row["start"], row["progress"]) == ("Ended", "Success", "Progress")
    assert world.messages(log_id, "pc7-1")[-1].startswith(f"unknown: {NO_FINAL_STATUS}")


def test_a_killed_agent_runs_nothing_twice(world: RunNowWorld) -> None:
    agent = world.agent("pc8-1")
    log_id = world.run(world.scan_task("Slow", seconds=60), "pc8-1")
    until(lambda: world.subtasks(log_id)["pc8-1"]["start"] == "Success")
    agent.process.kill()
    agent.process.start()
    row = world.ended(log_id, "pc8-1")
    assert row["state"] == "Ended" and world.messages(log_id, "pc8-1").count("started") == 1
    again = world.run(world.scan_task("Quick"), "pc8-1")
    assert segments(world.ended(again, "pc8-1")) == GREEN
    assert world.messages(log_id, "pc8-1")[-1].startswith(f"unknown: {NO_FINAL_STATUS}")


def test_a_stopped_service_forgets_and_the_end_still_lands_in_the_log(world: RunNowWorld) -> None:
    world.agent("pc9-1")
    agent = world.agent("pc9-2")
    log_id = world.run(world.scan_task("Slow", seconds=4), "pc9-1", "pc9-2")
    until(lambda: all(row["start"] == "Success" for row in world.subtasks(log_id).values()))
    agent.process.kill()
    world.kill_server()
    assert any("2 subtasks stay unfinished: pc9-1, pc9-2" in line for line in world.messages(log_id))
    assert world.entry(log_id)["state"] == "Ended"
    assert "cannot be reopened" in world.console.raw("miniepo.watchRunNow", taskLogId=str(log_id)).body.decode()
    row = world.ended(log_id, "pc9-1")
    assert row["state"] == "Completed"
    assert world.messages(log_id, "pc9-1")[-1].startswith("after a restart of the service: succeeded")
    left = world.subtasks(log_id)["pc9-2"]
    assert left["endDate"] is None and left["state"] == "In Progress"


def test_systems_that_answer_at_different_times_hold_nothing_up(world: RunNowWorld) -> None:
    late = world.agent("late-10")
    late.process.stop()
    world.agent("pc10-1")
    task = world.scan_task("Scan")
    first = world.run(task, "late-10", "pc10-1")
    assert segments(world.ended(first, "pc10-1")) == GREEN
    begun = time.monotonic()
    second = world.run(task, "pc10-1")
    assert segments(world.ended(second, "pc10-1")) == GREEN and time.monotonic() - begun < 10
    assert world.entry(first)["state"] == "In Progress" and world.subtasks(first)["late-10"]["endDate"] is None
    late.process.start()
    assert segments(world.ended(first, "late-10")) == GREEN
    assert until(lambda: world.entry(first)["endDate"]) and world.entry(first)["state"] == "Completed"


def test_an_agent_that_takes_a_new_guid_meanwhile_is_followed(world: RunNowWorld) -> None:
    agent = world.agent("pc14-1", listen=["127.0.0.9"])
    old = agent.status()["guid"]
    log_id = world.run(world.scan_task("Scan"), "pc14-1")
    until(lambda: world.attempts(log_id), what="the handler has tried to tell the agent")
    world.console.json("miniepo.regenerateGuid", names="pc14-1")
    agent.ctl("callin")
    row = world.ended(log_id, "pc14-1")
    assert agent.status()["guid"] != old == row["agentGuid"]
    assert segments(row) == GREEN and until(lambda: world.entry(log_id)["endDate"])


def test_a_system_that_is_deleted_meanwhile_ends_as_unknown(world: RunNowWorld) -> None:
    world.agent("pc15-1")
    log_id = world.run(world.scan_task("Slow", seconds=60), "pc15-1")
    until(lambda: world.subtasks(log_id)["pc15-1"]["start"] == "Success")
    world.console.json("system.delete", names="pc15-1")
    assert (world.ended(log_id, "pc15-1")["state"], world.entry(log_id)["state"]) == ("Ended", "Ended")
    assert world.messages(log_id, "pc15-1")[-1] == "unknown: the system is gone"


def test_a_task_behind_another_waits_for_it(world: RunNowWorld) -> None:
    world.agent("busy")
    first, second = (world.run(world.scan_task(name, seconds=3), "busy") for name in ("First", "Second"))
    until(lambda: world.subtasks(second)["busy"]["state"] == "Waiting")
    assert segments(world.ended(first, "busy")) == segments(world.ended(second, "busy")) == GREEN
    assert world.messages(second, "busy")[:3] == ["sent", "waiting: another task runs first", "started"]


def test_update_now_and_scan_now_go_the_same_way(world: RunNowWorld) -> None:
    world.agent("pc11-1")
    folder = world.field.folder / "keys"
    folder.mkdir()
    scanned = world.console.json("miniepo.scanNow", names="pc11-1", folder=str(folder))["taskLogId"]
    updated = world.console.json("miniepo.updateNow", names="pc11-1")["taskLogId"]
    assert segments(world.ended(scanned, "pc11-1")) == GREEN
    row = world.ended(updated, "pc11-1")
    assert row["start"] == "Success" and row["state"] in ("Completed", "Failed"), "there is no content in this world"


def test_a_task_that_no_agent_could_run_is_not_imported_and_one_that_is_there_fails_and_ends_nothing(
    world: RunNowWorld,
) -> None:
    agent = world.agent("pc19-1")
    wrong = {"name": "Wrong", "type": "update", "settings": {"products": 5}}
    upload = {"importFileName": json.dumps([wrong]).encode()}
    with pytest.raises(AssertionError, match=r"Wrong: .*Expected `array \| null`, got `int`"):
        world.console.upload("clienttask.importClientTask", upload)
    old = world.field.store(lambda store: store.tasks.save("Wrong", "update", {}, {"products": 5}))
    log_id = world.run(old, "pc19-1")
    assert segments(world.ended(log_id, "pc19-1")) == ("Success", "Success", "Failure")
    assert "settings cannot be understood" in world.messages(log_id, "pc19-1")[-1]
    scanned = world.field.folder / "names"
    scanned.mkdir()
    Path(os.fsdecode(os.fsencode(scanned) + b"/caf\xe9.txt")).write_bytes(b"text")
    log_id = world.console.json("miniepo.scanNow", names="pc19-1", folder=str(scanned))["taskLogId"]
    assert segments(world.ended(log_id, "pc19-1")) == GREEN
    assert f"progress 100 %: {scanned}/caf\\xe9.txt" in world.messages(log_id, "pc19-1")
    assert agent.process.process.poll() is None and "Traceback" not in agent.process.text()


def test_a_request_that_an_agent_was_killed_with_and_finds_after_its_time_is_answered(world: RunNowWorld) -> None:
    agent = world.agent("pc18-1", listen=["127.0.0.9"])
    log_id = world.run(world.scan_task("Scan"), "pc18-1")
    agent.process.kill()
    payload = {"task": {"id": "7", "name": "Late", "type": "scan"}}
    late = ChannelMessage(
        id="late", product=PRODUCT, kind=RUN_TASK, correlation=str(log_id), payload=payload, expires=time.time() - 1
    )
    Box(Directory(agent.state / "datachannel/inbox")).add(late)
    agent.process.start()
    row = world.ended(log_id, "pc18-1")
    assert (row["state"], segments(row)) == ("Failed", ("Success", "Failure", "Failure"))
    assert world.messages(log_id, "pc18-1")[0] == "failed: the request came after its time"


def test_a_cancelled_action_reaches_nobody_who_has_not_fetched_it(world: RunNowWorld) -> None:
    agent = world.agent("pc13-1", listen=["127.0.0.9"])
    log_id = world.run(world.scan_task("Scan"), "pc13-1")
    until(lambda: world.attempts(log_id), what="the handler has tried to tell the agent")
    assert world.console.json("scheduler.cancelServerTask", taskLogId=log_id) is True
    row = world.subtasks(log_id)["pc13-1"]
    assert (row["state"], row["start"], world.entry(log_id)["state"]) == ("Ended", "Progress", "Ended")
    batch = world.console.json("miniepo.watchRunNow", taskLogId=log_id)["batch"]
    (item,) = world.console.json("miniepo.listChannelItems", batch=batch)
    assert (item["outcome"], item["message"]) == ("failed", "cancelled by admin")
    agent.ctl("callin")
    agent.ctl("callin")
    assert world.messages(log_id, "pc13-1") == ["cancelled by admin"]
    assert f"run {log_id}" not in agent.process.text()
    assert world.console.json("scheduler.cancelServerTask", taskLogId=log_id) is False
