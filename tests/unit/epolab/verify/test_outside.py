"""Whom nobody can call, and what is told of calls that were made all the same."""

from pathlib import Path
from typing import Any

from epolab.topology import load_text, load_topology
from epolab.verify.knocks import Answer, Knock
from epolab.verify.outside import Outside, call_from_outside, pushed_to, uncalled
from epolab.verify.segment_plan import Told
from epolab.verify.witness import Witness

TOPOLOGIES = Path(__file__).parents[4] / "topologies"
CONVERSATIONS = load_topology(TOPOLOGIES / "conversations.yaml")
HIDDEN = CONVERSATIONS.node("india/india-pc")
HINT = " (it last called in through relay india-relay-1; it will be reached at its own ASCI)"
PUSH_FAILED = f"hq/epo could not install an agent on india-pc: india-pc has no address{HINT}"
WAKE_FAILED = f"india-pc: failed: hq/epo could not wake india-pc: refused{HINT}"
SILENT, OPEN = Answer("silent", "", "", 1.0), Answer("open", "", "", 1.0)


class Lab(Witness):
    """A lab whose wake-up fails with what the Server Task Log says, and where one knock is answered."""

    def __init__(self, answered: str, path: Path) -> None:
        super().__init__("lab", CONVERSATIONS, path)
        self.answered = answered
        self.log: list[dict[str, Any]] = [{"id": 1, "state": "Completed"}]
        self.pushed: list[dict[str, str]] = []

    def api(self, command: str, upload: Any = None, /, **arguments: str) -> Any:
        if command == "system.wakeupAgent":
            self.log.append({"id": 2, "state": "Failed"})
            return "completed: 0"
        if command == "system.deployAgent":
            self.pushed.append(arguments)
            return "completed: 0"
        if arguments.get("taskName") == "Deploy McAfee Agent":
            return [{"id": 9, "state": "Failed"}]
        if arguments.get("taskLogId") == "9":
            return [{"computerName": HIDDEN.fqdn, "state": "Failed", "subtask": HIDDEN.fqdn, "message": PUSH_FAILED}]
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


def test_agents_behind_relays_are_pushed_to_with_a_password_that_nobody_takes(tmp_path: Path) -> None:
    lab, nat = Lab("", tmp_path), CONVERSATIONS.node("lyon/lyon-pc")
    seen = call_from_outside(lab, CONVERSATIONS, [HIDDEN, nat])
    assert seen.pushes == {HIDDEN.path: Told("Failed", PUSH_FAILED)}
    ((names, password),) = [(words["names"], words["password"]) for words in lab.pushed]
    assert (names, password) == ("india-pc", "not the password")


def test_a_few_agents_are_pushed_to_whose_names_nobody_else_has() -> None:
    text = (TOPOLOGIES / "conversations.yaml").read_bytes()
    many = text.replace(b"      india-pc:\n", b"      india-pc:\n        count: 5\n")
    same = text.replace(b"      tokyo-pc:\n", b"      india-pc:\n")
    for changed, names in ((many, ["india-pc-1", "india-pc-2", "india-pc-3"]), (same, [])):
        topology = load_text(changed, "lab.yaml").topology
        assert topology is not None
        assert [node.name for node in pushed_to(topology, topology.nodes)] == names


def test_calls_that_fail_with_the_reason_are_as_they_should_be() -> None:
    pushed = {HIDDEN.path: Told("Failed", PUSH_FAILED)}
    assert Outside(log=[WAKE_FAILED], log_states=["Failed"], pushes=pushed).untold(HIDDEN) == []
    assert Outside(log=[WAKE_FAILED], log_states=["Failed"]).untold(HIDDEN) == []


def test_a_call_that_arrives_or_fails_without_the_reason_is_told() -> None:
    right = {"log": [WAKE_FAILED], "log_states": ["Failed"]}
    for told in (Told("Failed", PUSH_FAILED.removesuffix(HINT)), Told("Completed", PUSH_FAILED), Told("", "")):
        ((wanted, observed),) = Outside(**right, pushes={HIDDEN.path: told}).untold(HIDDEN)  # type: ignore[arg-type]
        assert "the push failed and that the agent is behind a relay" in wanted and told.message in observed
    unhinted = Outside(log=[WAKE_FAILED.removesuffix(HINT)], log_states=["Completed"]).untold(HIDDEN)
    assert ["the wake-up failed" in unhinted[0][0], unhinted[1][1]] == [True, "as ['Completed']"]
