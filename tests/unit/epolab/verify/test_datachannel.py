"""Which of the answers on the DataChannel are an agent's, and how rounds are told apart from call-ins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.datachannel import COUNT, PSQL, STUCK, answers_of, observe
from epolab.verify.datachannel_plan import Answer
from epolab.verify.witness import Witness

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "conversations.yaml")
AGENTS = facts.agents(TOPOLOGY)


def row(guid: str, kind: str = "echoed", text: str = "t") -> dict[str, Any]:
    return {"guid": guid, "kind": kind, "handler": "hq/epo", "received": 5.0, "payload": {"text": text}}


def test_an_agents_answers_are_its_own_echoes() -> None:
    rows = [row("A"), row("B"), row("A", "other"), row("A", text="u")]
    assert answers_of(rows, "A") == (Answer("hq/epo", 5.0, "t"), Answer("hq/epo", 5.0, "u"))
    assert answers_of(rows, None) == ()


def test_the_published_statements_are_asked_as_they_stand() -> None:
    assert COUNT == "select count(*) as count from epoagenthandlerdatachannelwq"
    assert STUCK == "select * from epoagenthandlerdatachannelwq where Finished is NULL"
    assert PSQL.format(statement=STUCK).endswith(f"-c '{STUCK}'")


class Lab(Witness):
    """A lab whose agents answer at once, each right after a call-in in the first `brought` rounds."""

    def __init__(self, folder: Path, brought: int) -> None:
        super().__init__("lab", TOPOLOGY, folder)
        self.brought, self.sent, self.text = brought, 0, ""

    def must(self, path: str, command: str, line: str = "") -> str:
        return "0\n"

    def api(self, command: str, upload: Any = None, /, **words: str) -> Any:
        match command:
            case "miniepo.now":
                return 1000.0
            case "system.find":
                return [
                    {"EPOComputerProperties.IPHostName": node.fqdn, "EPOComputerProperties.ParentID": number}
                    for number, node in enumerate(AGENTS)
                ]
            case "miniepo.sendChannelMessage":
                self.sent, self.text = self.sent + 1, words["text"]
                return {"batch": "b", "correlation": "c", "systems": len(AGENTS)}
            case "miniepo.listChannelItems":
                return [
                    {"target": number, "outcome": "delivered", "message": "", "guid": node.fqdn}
                    for number, node in enumerate(AGENTS)
                ]
            case "miniepo.listChannelAnswers":
                answer = {"kind": "echoed", "handler": "hq/epo", "received": 1000.3, "payload": {"text": self.text}}
                return [{**answer, "guid": node.fqdn, "name": node.name} for node in AGENTS]
            case "miniepo.listCallins":
                return [{"fqdn": node.fqdn, "received": 1000.1} for node in AGENTS if self.sent <= self.brought]
        raise AssertionError(command)


@pytest.mark.parametrize(("brought", "waited"), [(0, []), (2, [0.5, 1.0]), (99, [0.5, 1.0, 1.5, 2.0])])
def test_no_two_rounds_are_in_step_with_a_call_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, brought: int, waited: list[float]
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("epolab.verify.datachannel.pause", pauses.append)
    seen = observe(Lab(tmp_path, brought))
    assert pauses == waited
    assert seen.rounds["tokyo/tokyo-pc"].clear is (brought < 99)
