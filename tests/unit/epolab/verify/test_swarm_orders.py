"""How a swarm's agents are woken and run a task now, with a lab that answers from a script."""

import re
from pathlib import Path
from typing import Any

import pytest

from epolab.errors import WorldError
from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.swarm_orders import CALLED_AT_MOST, called, port_troubles, run_on_swarm, waits_seconds, wake_swarm
from epolab.verify.swarm_orders_plan import wrong_calls_in_vain, wrong_runs, wrong_wakeup
from epolab.verify.witness import Witness

TOPOLOGIES = Path(__file__).parents[4] / "topologies"
TOPOLOGY = load_topology(TOPOLOGIES / "conversations.yaml")
NODE = TOPOLOGY.node("dmz/crowd")
NAMES = facts.swarm_members(NODE)
SOCKETS = """\
LISTEN 0 4 0.0.0.0:8081 0.0.0.0:* uid:999 users:(("miniepo-swarm",pid=7,fd=6))
LISTEN 0 4 [::]:8081 [::]:* uid:999 users:(("miniepo-swarm",pid=7,fd=7))
"""


class Lab(Witness):
    """A lab whose swarm does as it is told."""

    def __init__(self, folder: Path, reply: str = "Succeeded", sockets: str = SOCKETS) -> None:
        super().__init__("lab", TOPOLOGY, folder)
        self.reply, self.sockets, self.name, self.words = reply, sockets, "", dict[str, str]()

    def must(self, path: str, command: str, line: str = "") -> str:
        return "mfeagent:x:999:999::/:/bin/sh\n" if "getent" in command else self.sockets

    def api(self, command: str, upload: Any = None, /, **words: str) -> Any:
        match command:
            case "clienttask.importClientTask":
                self.name = re.findall(rb'"name": "([^"]+)"', upload.content)[0].decode()
                return [{"objectId": 5}]
            case "clienttask.run" | "system.wakeupAgent":
                self.words = words
                return self.reply
            case "miniepo.listRunNow":
                return [{"taskLogId": 3, "task": self.name}, {"taskLogId": 9, "task": "another"}]
            case "miniepo.now":
                return 100.0
            case "tasklog.listTaskHistory":
                return [{"id": 4}] if self.words else []
            case "tasklog.listSubtasks":
                green = {"send": "Success", "start": "Success", "progress": "Success", "state": "Completed"}
                return [{"computerName": n, "agentGuid": n.upper(), "endDate": "now", **green} for n in NAMES]
            case "tasklog.listMessages":
                place = f"{NODE.ipv4}:8081"
                return [{"subtask": n, "message": f"woke x at {place} (wake-up {k:036X})"} for k, n in enumerate(NAMES)]
            case "miniepo.listChannelAnswers":
                said = ("received", "started", "succeeded")
                return [
                    {"guid": n.upper(), "kind": "task-status", "payload": {"status": s, "percent": 0}, "received": 101}
                    for n in NAMES
                    for s in said
                ]
            case "miniepo.listCallins":
                rows = [
                    {"fqdn": n, "reason": "wakeup", "wakeup_id": f"{k:036X}", "received": 100 + k * 0.4}
                    for k, n in enumerate(NAMES)
                ]
                return [*rows, {"fqdn": NAMES[0], "reason": "asci", "wakeup_id": None, "received": 101}]
        raise AssertionError(command)


def test_agents_are_woken_in_one_order_at_random_moments(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    assert wrong_wakeup(NODE, 8081, wake_swarm(lab, NODE.path)) == []
    assert lab.words["randomMinutes"] == "0.150000" and lab.words["names"] == ",".join(NAMES)


def test_agents_run_a_task_in_one_action(tmp_path: Path) -> None:
    assert wrong_runs(NODE.path, run_on_swarm(Lab(tmp_path), NODE.path), len(NAMES)) == []
    with pytest.raises(WorldError, match="Error"):
        run_on_swarm(Lab(tmp_path, reply="Error"), NODE.path)


FAILOVER = load_topology(TOPOLOGIES / "relay-failover.yaml")
BEHIND = FAILOVER.node("field/crowd")
HIDDEN = facts.swarm_members(BEHIND)


class BehindRelays(Lab):
    """A lab whose swarm nobody can call; its agents call in 0.9 s after they were asked for anything."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.topology = FAILOVER

    def api(self, command: str, upload: Any = None, /, **words: str) -> Any:
        match command:
            case "tasklog.listSubtasks" if "Verdict" not in self.name:
                return [{"computerName": n, "state": "Failed"} for n in HIDDEN]
            case "tasklog.listSubtasks":
                short = [name.partition(".")[0] for name in HIDDEN]
                return [row | {"computerName": n} for n, row in zip(short, super().api(command), strict=True)]
            case "tasklog.listMessages":
                return [{"subtask": n, "message": "no answer; it will be reached at its own ASCI"} for n in HIDDEN]
            case "miniepo.listCallins":
                everybody = (*HIDDEN, "crowd-0001.hq.test")
                calls = [{"fqdn": n, "reason": "asci", "wakeup_id": None} for n in everybody]
                return [call | {"received": moment} for call in calls for moment in (100.9, 109.0)]
        return super().api(command, upload, **words)


def test_agents_that_nobody_can_call_are_called_once_and_in_vain(tmp_path: Path) -> None:
    lab = BehindRelays(tmp_path)
    assert wrong_calls_in_vain(BEHIND, wake_swarm(lab, BEHIND.path)) == []
    assert "randomMinutes" not in lab.words


def test_agents_that_nobody_can_call_run_a_task_after_their_call_in(tmp_path: Path) -> None:
    runs = run_on_swarm(BehindRelays(tmp_path), BEHIND.path)
    assert {run.called_in for run in runs} == {100.9}
    waits = waits_seconds(FAILOVER, BEHIND)
    assert waits > BEHIND.asci_seconds and waits_seconds(TOPOLOGY, NODE) == 0
    assert wrong_runs(BEHIND.path, runs, len(HIDDEN), waits) == []


def test_of_a_large_swarm_some_are_called() -> None:
    tokyo = facts.swarms(load_topology(TOPOLOGIES / "tokyo-4000.yaml"))[0]
    assert len(called(tokyo)) == CALLED_AT_MOST < tokyo.swarm


@pytest.mark.parametrize(
    "sockets", ["", SOCKETS.splitlines()[0], SOCKETS.replace("miniepo-swarm", "nc"), SOCKETS.replace("999", "0")]
)
def test_the_port_is_the_swarms_own(tmp_path: Path, sockets: str) -> None:
    assert port_troubles(Lab(tmp_path), NODE.path) == []
    [(wanted, told)] = port_troubles(Lab(tmp_path, sockets=sockets), NODE.path)
    assert "miniepo-swarm, run by mfeagent, listens on 8081/tcp" in wanted and told.startswith(NODE.path)
