"""How an action on all agents is made and gathered, with a lab that answers from a script."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from epolab.errors import WorldError
from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.datachannel import CALL_IN
from epolab.verify.run_now import observe, reports_of, run_once
from epolab.verify.run_now_plan import Report, expected_way
from epolab.verify.witness import Ran, Witness

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "conversations.yaml")
AGENTS = facts.agents(TOPOLOGY)
SILENT = sorted(node.path for node in AGENTS if expected_way(TOPOLOGY, node) == "after a call-in")


class Lab(Witness):
    """A lab in which every agent runs each action once, at once; `brought` are those that a call-in came before."""

    def __init__(self, folder: Path, brought: dict[str, int]) -> None:
        super().__init__("lab", TOPOLOGY, folder)
        self.brought = brought
        self.actions: list[list[str]] = []
        self.name = ""
        self.deleted = 0
        self.called: list[tuple[str, int]] = []
        self.reply = "Succeeded"
        self.shows = True

    def must(self, path: str, command: str, line: str = "") -> str:
        self.deleted += "miniepo.deleteTask" in command
        if command == CALL_IN:
            self.called.append((path, len(self.actions)))
        return ""

    def run(self, path: str, command: str, line: str = "") -> Ran:
        found = re.search(r"run (\d+)", command)
        assert found is not None
        return Ran(0, "1\n" if self.node(path) in self.actions[int(found[1]) - 1] else "0\n", "")

    def node(self, path: str) -> str:
        return TOPOLOGY.node(path).fqdn

    def api(self, command: str, upload: Any = None, /, **arguments: str) -> Any:
        log_id = arguments.get("taskLogId") or arguments.get("correlation") or "0"
        asked = self.actions[int(log_id) - 1] if log_id != "0" else []
        match command:
            case "clienttask.importClientTask":
                self.name = re.findall(rb'"name": "([^"]+)"', upload.content)[0].decode()
                return [{"objectId": 5}]
            case "clienttask.run":
                self.actions.append(arguments["names"].split(","))
                return self.reply
            case "miniepo.listRunNow":
                return [{"taskLogId": number, "task": self.name} for number, _ in enumerate(self.actions, 1)]
            case "miniepo.now":
                return 1000.0
            case "system.find":
                return [
                    {
                        "EPOComputerProperties.IPHostName": node.fqdn,
                        "EPOComputerProperties.ParentID": number,
                        "EPOLeafNode.AgentGUID": node.fqdn.upper(),
                    }
                    for number, node in enumerate(AGENTS)
                ]
            case "tasklog.listSubtasks":
                return [
                    {"id": 10 + number, "systemId": number, "endDate": "now"}
                    for number, node in enumerate(AGENTS)
                    if node.fqdn in asked
                ]
            case "miniepo.watchRunNow" if self.shows:
                return {"subtasks": [{"systemId": number, "state": "Completed"} for number, _ in enumerate(AGENTS)]}
            case "miniepo.watchRunNow":
                raise WorldError("closed")
            case "tasklog.listMessages":
                return [{"message": "all", "subtaskId": None}, {"message": "one", "subtaskId": 10}]
            case "miniepo.listChannelAnswers":
                payload = {"status": "started", "percent": 0}
                return [
                    {"guid": name.upper(), "kind": "task-status", "payload": payload, "received": 1000.4}
                    for name in asked
                ]
            case "miniepo.listCallins":
                count = len(self.actions)
                return [{"fqdn": name, "received": 1000.2} for name, rounds in self.brought.items() if count <= rounds]
        raise AssertionError(command)


@pytest.fixture(autouse=True, name="pauses")
def pauses_fixture(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is waited between rounds, without waiting for it."""
    waited: list[float] = []
    monkeypatch.setattr("epolab.verify.run_now.pause", waited.append)
    return waited


def test_all_agents_are_in_one_action_and_those_in_doubt_in_another(tmp_path: Path) -> None:
    doubtful = TOPOLOGY.node("tokyo/tokyo-pc")
    lab = Lab(tmp_path, {doubtful.fqdn: 2, TOPOLOGY.node("lyon/lyon-pc").fqdn: 9})
    runs = observe(lab)
    assert [sorted(names) for names in lab.actions] == [
        sorted(node.fqdn for node in AGENTS),
        [doubtful.fqdn],
        [doubtful.fqdn],
    ]
    assert [run.log_id for run in runs[doubtful.path].runs] == [1, 2, 3] and runs[doubtful.path].clear
    first = runs[AGENTS[0].path].first
    assert (first.ran, first.messages, first.started) == (1, ("one",), 1000.4)
    assert lab.deleted == 1


def test_whom_nobody_can_tell_calls_in_once_the_action_has_been_made(tmp_path: Path) -> None:
    lab = Lab(tmp_path, {})
    observe(lab)
    assert sorted(path for path, _ in lab.called) == SILENT and {count for _, count in lab.called} == {1}


def test_the_live_view_has_a_row_of_each_agent_or_is_not_shown(tmp_path: Path) -> None:
    lab = Lab(tmp_path, {})
    runs = observe(lab)
    assert [runs[node.path].first.view for node in AGENTS] == [
        {"systemId": number, "state": "Completed"} for number, _ in enumerate(AGENTS)
    ]
    lab.shows = False
    assert all(runs.first.view is None for runs in observe(lab).values())


def test_a_doubt_that_stays_is_not_tried_for_ever_and_never_in_the_same_step(
    tmp_path: Path, pauses: list[float]
) -> None:
    doubtful = TOPOLOGY.node("tokyo/tokyo-pc")
    lab = Lab(tmp_path, {doubtful.fqdn: 99})
    assert not observe(lab)[doubtful.path].clear and len(lab.actions) == 4
    assert pauses == [0.5, 1.0, 1.5]


def test_a_refused_call_is_the_labs_failure(tmp_path: Path) -> None:
    lab = Lab(tmp_path, {})
    lab.reply = "Failed"
    with pytest.raises(WorldError, match="answered"):
        run_once(lab, {node: {} for node in AGENTS}, "5", "a task")


def test_only_the_agents_own_reports_count() -> None:
    rows: list[dict[str, Any]] = [
        {"guid": "A", "kind": "task-status", "payload": {"status": "received", "percent": 0}, "received": 1.0},
        {"guid": "B", "kind": "task-status", "payload": {"status": "failed", "percent": 0}, "received": 2.0},
        {"guid": "A", "kind": "echoed", "payload": {}, "received": 3.0},
    ]
    assert reports_of(rows, "A") == (Report("received", 0, 1.0),)
