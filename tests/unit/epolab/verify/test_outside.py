"""Whom nobody can call, and what is told of calls that were made all the same."""

from pathlib import Path
from typing import Any

from epolab.topology import load_topology
from epolab.verify.knocks import Answer, Knock
from epolab.verify.outside import Outside, call_from_outside, uncalled
from epolab.verify.witness import Witness

TOPOLOGIES = Path(__file__).parents[4] / "topologies"
CONVERSATIONS = load_topology(TOPOLOGIES / "conversations.yaml")
SILENT, OPEN = Answer("silent", "", "", 1.0), Answer("open", "", "", 1.0)


class Lab(Witness):
    """A lab whose wake-up fails with what the Server Task Log says, and where one knock is answered."""

    def __init__(self, answered: str, path: Path) -> None:
        super().__init__("lab", CONVERSATIONS, path)
        self.answered = answered
        self.log: list[dict[str, Any]] = [{"id": 1, "state": "Completed"}]

    def api(self, command: str, upload: Any = None, /, **arguments: str) -> Any:
        if command == "system.wakeupAgent":
            self.log.append({"id": 2, "state": "Failed"})
            return "completed: 0"
        if command == "tasklog.listMessages":
            return [{"message": f"lyon-pc: failed at {arguments['taskLogId']}"}, {"message": "not woken: lyon-pc"}]
        return list(self.log)

    def knock(self, path: str, knocks: Any) -> list[Answer]:
        return [OPEN if (path, knock.address) == ("hq/epo", self.answered) else SILENT for knock in knocks]


def test_agents_behind_nat_cannot_be_called_and_those_behind_relays_are_another_matter() -> None:
    assert [node.path for node in uncalled(CONVERSATIONS)] == ["lyon/lyon-pc", "lyon/lyon-laptop"]
    assert uncalled(load_topology(TOPOLOGIES / "minimal.yaml")) == []


def test_all_handlers_knock_in_both_families_and_the_log_is_read(tmp_path: Path) -> None:
    node = CONVERSATIONS.node("lyon/lyon-pc")
    seen = call_from_outside(Lab(str(node.ipv6), tmp_path), CONVERSATIONS, [node])
    assert seen.log_states == ["Failed"]
    assert seen.about(node) == ["lyon-pc: failed at 2"]
    tried = {(handler, knock.address) for handler, knock, _ in seen.knocks[node.path]}
    handlers = ("hq/epo", "dmz/ah-1", "dmz/ah-2")
    assert tried == {(path, str(address)) for path in handlers for address in (node.ipv4, node.ipv6)}
    wanted = f"lyon/lyon-pc: hq/epo does not get its log page at {node.ipv6}"
    assert seen.let_in(node.path) == [(wanted, "hq/epo: it answers")]


def test_nobody_to_call_is_no_call(tmp_path: Path) -> None:
    assert call_from_outside(Lab("", tmp_path), CONVERSATIONS, []) == Outside()


def test_a_silent_port_is_as_it_should_be() -> None:
    knock = Knock("tcp", "10.4.0.10", 8081)
    assert Outside(knocks={"lyon/lyon-pc": [("hq/epo", knock, SILENT)]}).let_in("lyon/lyon-pc") == []
