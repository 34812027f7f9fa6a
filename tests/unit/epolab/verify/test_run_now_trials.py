"""How an action is made in hard times, with a lab that answers from a script."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest

from epolab.errors import WorldError
from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify import run_now_trials
from epolab.verify.run_now_trials import KILL, PROPERTIES, at_hand, cut_off, exceed, forget
from epolab.verify.run_now_trials_plan import NO_FINAL_STATUS, wrong_end, wrong_limit, wrong_memory
from epolab.verify.witness import Ran, Witness

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "conversations.yaml")
NODE = TOPOLOGY.node("tokyo/tokyo-pc")
LOST = "the service stopped: its memory is lost, 1 subtasks stay unfinished: tokyo-pc"
UNKNOWN = f"unknown: {NO_FINAL_STATUS}: the agent ends before the task does"


class Lab(Witness):
    """A lab whose agent says that it ends, and whose server comes back after a kill at the second question."""

    queues, news = 0, 1

    def __init__(self, folder: Path) -> None:
        super().__init__("lab", TOPOLOGY, folder)
        self.text, self.limits = "keep=me\nclienttask.runnow.system.limit=10/12 & more\n", list[int]()
        self.rows = 5
        self.killed = self.ended = self.forgot = False

    def must(self, path: str, command: str, line: str = "") -> str:
        if command == f"cat {PROPERTIES}":
            return self.text
        if found := re.fullmatch(rf"echo (\S+) \| base64 -d >{PROPERTIES}", command):
            self.text = base64.b64decode(found[1]).decode()
        if found := re.search(r"system\.limit=(\d+)", command):
            self.limits.append(int(found[1]))
            self.text = f"keep=me\nclienttask.runnow.system.limit={found[1]}\n"
        if "max(AutoID)" in command:
            assert path == "hq/sql"
            return f"{self.rows}\n"
        if found := re.search(r"AutoID > (\d+)", command):
            return f"{self.rows - int(found[1])}\n"
        if command == KILL:
            assert path == "hq/epo"
            self.killed = True
        self.ended |= "force-stop /etc/service/cmdagent" in command
        return "LISTEN" if command.startswith("ss ") else ""

    def run(self, path: str, command: str, line: str = "") -> Ran:
        return Ran(0, "1\n", "")

    def python(self, path: str, program: str, given: Any, line: str = "") -> Any:
        return [{"ok": True, "result": {"last_session": []}} for _ in given["orders"]]

    def api(self, command: str, upload: Any = None, /, **words: str) -> Any:
        if self.killed:
            self.killed, self.forgot = False, True
            raise WorldError("the server does not answer")
        match command:
            case "miniepo.scanNow":
                count = len(words["names"].split(","))
                self.rows += self.queues
                if self.limits and count > self.limits[-1]:
                    limit = f"clienttask.runnow.system.limit = {self.limits[-1]}"
                    raise WorldError(f"{count} systems are more than {limit} in /x allows")
                return {"taskLogId": 7}
            case "miniepo.watchRunNow":
                state = "Ended" if self.ended else "In Progress"
                row = {"send": "Success", "start": "Success", "progress": "Progress", "state": state}
                return {"revision": 2 + self.news * self.ended, "subtasks": [row]}
            case "miniepo.listRunNow":
                return [] if self.forgot else [{"taskLogId": 7, "task": "Scan Now"}]
            case "tasklog.listTaskHistory":
                return [{"id": 7, "state": "Ended"}]
            case "tasklog.listSubtasks":
                state, end = ("Ended", "now") if self.ended else ("In Progress", None)
                return [{"start": "Success", "state": state, "endDate": end, "agentGuid": "G"}]
            case "tasklog.listMessages":
                last = f"after a restart of the service: {UNKNOWN}" if self.forgot else UNKNOWN
                return [{"message": text} for text in ("sent", *([LOST] if self.forgot else ()), last)]
            case "miniepo.listChannelAnswers":
                payloads = [{"status": status, "percent": 0} for status in ("received", "started", NO_FINAL_STATUS)]
                return [{"guid": "G", "kind": "task-status", "payload": each, "received": 1.0} for each in payloads]
        raise AssertionError(command)


def test_the_limit_is_lowered_below_the_systems_at_hand_and_put_back(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    agents = at_hand(lab)
    assert agents == list(facts.agents(TOPOLOGY))
    before = lab.text
    assert wrong_limit("hq/epo", exceed(lab, agents, 7)) == []
    assert (lab.limits, lab.text) == ([len(agents) - 1], before)


def test_what_is_queued_although_it_is_refused_is_told(tmp_path: Path) -> None:
    class Hasty(Lab):
        queues = 3

    lab = Hasty(tmp_path)
    ((_, seen),) = wrong_limit("hq/epo", exceed(lab, at_hand(lab), 7))
    assert "0 entries of it, the queue 3 rows" in seen


def test_an_agent_is_ended_in_the_middle_of_its_task(tmp_path: Path) -> None:
    assert wrong_end(NODE.path, cut_off(Lab(tmp_path), NODE.path)) == []


def test_a_view_that_tells_nothing_new_is_told(tmp_path: Path) -> None:
    class Old(Lab):
        news = 0

    ((_, seen),) = wrong_end(NODE.path, cut_off(Old(tmp_path), NODE.path))
    assert "it showed Ended/Success/Success/Progress, revision 2 after 2" in seen


def test_a_server_is_killed_in_the_middle_of_a_task(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    assert wrong_memory("hq/epo", forget(lab, NODE.path)) == []
    assert lab.forgot and lab.ended


def test_an_agent_that_says_nothing_is_told_of_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_now_trials, "END_LIMIT_SECONDS", 0.3)
    monkeypatch.setattr(run_now_trials, "START_LIMIT_SECONDS", 0.3)

    class Mute(Lab):
        ended = property(lambda _: False, lambda *_: None)  # type: ignore[assignment]

    assert "In Progress" in wrong_end(NODE.path, cut_off(Mute(tmp_path), NODE.path))[0][1]
