"""A server process with everything real around it: database, update server, handler, agents, a SuperAgent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from field import AgentProcess, until
from managed import Managed, open_managed

from miniepo import config
from miniepo.protocol import content

pytestmark = pytest.mark.integration

DAT = "Current/VSCANDAT1000/DAT/0000"


@pytest.fixture
def managed(tmp_path: Path, database: config.Database) -> Iterator[Managed]:
    with open_managed(tmp_path, database) as made:
        yield made


def superagent(managed: Managed) -> AgentProcess:
    """An agent that policy has made a SuperAgent with a repository."""
    console = managed.console
    agent = managed.field.agent("sa-1")
    until(lambda: console.json("system.find", searchText="sa-1"), what="sa-1 enrols")
    group = console.json("miniepo.createGroup", path="1_SuperAgents")["groupId"]
    folder = str(managed.field.folder / "repository-sa-1")
    settings = {"enabled": True, "repository": True, "folder": folder}
    policy = [{"name": "SA", "category": "superagent", "settings": settings}]
    console.upload("policy.importPolicy", {"file": json.dumps(policy).encode()})
    found = console.json("policy.find", searchText="SA")[0]
    assert console.json("policy.assignToGroup", groupId=group, productId=found["productId"], objectId=found["objectId"])
    console.json("system.move", names="sa-1", parentGroupId=group)
    until(lambda: console.json("repository.find"), what="the SuperAgent appears among the repositories")
    return agent


def mirrored(managed: Managed, relative: str) -> bytes | None:
    path = managed.field.folder / "repository-sa-1" / relative
    return path.read_bytes() if path.is_file() else None


def test_a_pull_brings_increments_first_and_full_sets_on_their_own(managed: Managed) -> None:
    managed.updates()
    managed.server()
    console, root = managed.console, managed.field.folder / "repository"
    assert console.json("repository.pull", sourceRepository="McAfeeHttp", targetBranch="Current") is True
    names = {path.name for path in (root / DAT).iterdir()}
    assert "1000010001avv.gem" in names and not any(name.startswith("avvdat") for name in names)
    version = content.parse_site_stat((root / "SiteStat.xml").read_text())
    assert console.json("repository.pull", sourceRepository="McAfeeHttp", targetBranch="Current") is True
    assert content.parse_site_stat((root / "SiteStat.xml").read_text()) == version


def test_a_package_reaches_the_superagent_and_the_second_replication_moves_what_changed(managed: Managed) -> None:
    managed.updates()
    managed.server()
    managed.field.handler("hq/epo")
    superagent(managed)
    console = managed.console
    data = bytes(range(256)) * 4096
    console.upload(
        "repository.checkInPackage", {"probe.bin": data}, branch="Current", product="PROBE", type="Install", version="1"
    )
    assert console.json("repository.replicate") is True
    assert mirrored(managed, "Current/PROBE/Install/0000/probe.bin") == data
    for name in ("catalog.z", "SiteStat.xml", "Replica.log"):
        assert mirrored(managed, name) == (managed.field.folder / "repository" / name).read_bytes()
    console.upload(
        "repository.checkInPackage", {"b.bin": b"b"}, branch="Current", product="SMALL", type="Install", version="1"
    )
    assert console.json("repository.replicate") is True
    history = console.json("tasklog.listTaskHistory", taskName="Repository Replication", maxRows="1")
    text = str(console.json("tasklog.listMessages", taskLogId=history[0]["id"]))
    assert "incremental, 4 files" in text, text
    assert hashlib.sha256(mirrored(managed, "Current/SMALL/Install/0000/b.bin") or b"").hexdigest() == (
        hashlib.sha256(b"b").hexdigest()
    )


def test_a_wakeup_makes_a_sleeping_agent_call_in_at_once(managed: Managed) -> None:
    managed.server()
    managed.field.handler("hq/epo")
    console = managed.console
    agent = managed.field.agent("pc-1", asci_seconds=600)
    agent.until(lambda status: status.get("last_callin"))
    before = len(console.json("miniepo.listCallins", name="pc-1"))
    assert console.json("system.wakeupAgent", names="pc-1") == "completed: 1\nfailed: 0\nexpired: 0"
    calls = until(lambda: console.json("miniepo.listCallins", name="pc-1")[before:], 5, "it calls in")
    assert calls[-1]["wakeup_id"]
    agent.process.stop()
    assert console.json("system.wakeupAgent", names="pc-1") == "completed: 0\nfailed: 1\nexpired: 0"


def test_a_wakeup_tells_of_everyone_that_it_names_and_cannot_wake(managed: Managed) -> None:
    managed.server()
    managed.field.handler("hq/epo")
    console = managed.console
    managed.field.agent("pc-1", asci_seconds=600).until(lambda status: status.get("last_callin"))
    console.json("system.importSystem", names="bare", branchNodeID="2")
    reply = console.json("system.wakeupAgent", names="pc-1,bare,typo,My Organization\\nowhere")
    assert reply == "completed: 1\nfailed: 3\nexpired: 0"
    log_id = console.json("tasklog.listTaskHistory", taskName="Wake Up Agents", maxRows="1")[0]["id"]
    told = str(console.json("tasklog.listMessages", taskLogId=log_id))
    for reason in ("the system has no agent", "there is no such system", "there is no such group"):
        assert reason in told, told
    assert console.json("system.wakeupAgent", names="typo").startswith("No systems found to wake up.")


def test_handlers_go_on_while_the_server_is_down(managed: Managed) -> None:
    server = managed.server()
    managed.field.handler("hq/epo")
    server.stop()
    agent = managed.field.agent("pc-1")
    assert agent.until(lambda status: status.get("last_callin"))["guid"]


def test_a_task_that_was_assigned_runs_and_is_reported_while_the_server_is_down(managed: Managed) -> None:
    server, console = managed.server(), managed.console
    managed.field.handler("hq/epo")
    agent = managed.field.agent("pc-1", asci_seconds=3600)
    agent.until(lambda status: status.get("last_callin"))
    task = {"name": "Look", "type": "scan", "settings": {"folder": str(managed.field.folder / "repository")}}
    console.upload("clienttask.importClientTask", {"importFileName": json.dumps([task]).encode()})
    assert console.json("miniepo.assignTask", task="Look", names="pc-1")["changed"]
    assert not console.json("miniepo.assignTask", task="Look", names="pc-1")["changed"]
    server.stop()
    agent.ctl("callin")
    until(lambda: "task Look (run " in agent.process.text(), what="the task runs")
    agent.ctl("callin")
    reported = managed.field.store(lambda store: store.tasks.statuses("pc-1"))
    assert [row["status"] for row in reported] == ["succeeded"]
