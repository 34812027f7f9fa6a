"""Who is tried with a relay that lacks the content, how that is done and undone, and what is wrong then."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from epolab.hands.journal import Journal, Undo
from epolab.topology import load_text, load_topology
from epolab.verify.agents import UPDATE
from epolab.verify.relay_lacks import (
    _FORGET,
    BAR,
    COUNT,
    FORGET,
    LATEST,
    NOTE,
    RULE,
    UNBAR,
    Lack,
    fed,
    first_of,
    lack_troubles,
    lacking,
)
from epolab.verify.witness import Ran, Witness

TOPOLOGIES = Path(__file__).parents[4] / "topologies"
TOPOLOGY = load_topology(TOPOLOGIES / "conversations.yaml")
PC = TOPOLOGY.node("india/india-pc")
FIRST, SECOND = "india/india-relay-1", "india/india-relay-2"
MOVED = Lack(FIRST, "ePO_EPO: VSCANDAT1000 10001.0000", "", "ePO_EPO", "india-relay-2", 3)
WANTED = "india/india-pc: takes content through india-relay-2 while none comes through india/india-relay-1, its current"
BESIDE = b"""epolab: 1
sites:
  hq: {nodes: {epo: {components: [server, sql, updates]}}}
  far:
    firewall:
      default: deny
      rules: [{allow: {from: [one, two], to: [hq]}}, {allow: {from: [hq], to: [one, two, sa]}}]
    nodes:
      one: {components: relay}
      two: {components: relay}
      sa: {components: superagent}
      pc: {components: agent}
wan: [{between: [hq, far]}]
"""


def test_who_takes_content_through_one_of_several_relays_is_tried() -> None:
    assert [node.path for node in fed(TOPOLOGY)] == ["india/india-pc"]
    failover = load_topology(TOPOLOGIES / "relay-failover.yaml")
    assert {"field/field-pc", "field/field-old"} <= {node.path for node in fed(failover)}
    assert fed(load_topology(TOPOLOGIES / "minimal.yaml")) == ()


def test_who_has_a_repository_beside_it_is_not_tried_nor_anybody_where_there_is_no_content() -> None:
    for text, tried in ((BESIDE, []), (BESIDE.replace(b"superagent", b"agent"), ["far/sa", "far/pc"])):
        topology = load_text(text, "beside.yaml").topology
        assert topology is not None and [node.path for node in fed(topology)] == tried
    without = load_text(BESIDE.replace(b"superagent", b"agent").replace(b", updates", b""), "beside.yaml").topology
    assert without is not None and fed(without) == ()


def test_the_first_relay_that_an_agent_remembers_is_the_one_it_tries() -> None:
    assert first_of({"relays": ["india-relay-2", "india-relay-1"]}) == "india-relay-2"
    assert first_of({"relays": []}) is None


def test_content_is_barred_in_both_families_and_let_through_however_often() -> None:
    assert BAR.count(f"-I {RULE}") == UNBAR.count(f"-D {RULE}") == UNBAR.count("while ") == 2
    assert "iptables -w" in BAR and "ip6tables -w" in BAR and NOTE in RULE


def test_what_the_rules_of_both_families_broke_off_is_counted(tmp_path: Path) -> None:
    listed = f'0 0 ACCEPT all\\n"{{0}}" 120 REJECT tcp -- * /* {NOTE} */'
    for tool, packets in (("iptables", "3"), ("ip6tables", "4")):
        (tmp_path / tool).write_text(f"#!/bin/sh\nprintf '{listed.format(packets)}\\n' | tr -d '\"'\n")
        (tmp_path / tool).chmod(0o755)
    ran = subprocess.run(["bash", "-c", f"PATH={tmp_path}:$PATH; {COUNT}"], capture_output=True, text=True, check=True)
    assert ran.stdout == "7\n"


@pytest.mark.parametrize(
    ("held", "after"),
    [
        ({"VSCANDAT1000": "10002.0000", "X": "1"}, {"VSCANDAT1000": "10001.0000", "X": "1"}),
        ({"X": "1"}, {"X": "1"}),
        ({"VSCANDAT1000": "unknown"}, {"VSCANDAT1000": "unknown"}),
    ],
)
def test_an_agent_is_made_to_lack_its_last_increment(
    tmp_path: Path, held: dict[str, str], after: dict[str, str]
) -> None:
    file = tmp_path / "installed.json"
    file.write_text(json.dumps(held))
    subprocess.run(["python3", "-c", _FORGET.replace("/var/lib/miniepo/agent", str(tmp_path))], check=True)
    assert json.loads(file.read_text()) == after and list(tmp_path.iterdir()) == [file]


def test_an_agent_without_any_content_lacks_it_already(tmp_path: Path) -> None:
    subprocess.run(["python3", "-c", _FORGET.replace("/var/lib/miniepo/agent", str(tmp_path))], check=True)
    assert list(tmp_path.iterdir()) == []


class Place:
    """A lab whose agent says of its updates what `outcomes` says, one after the other; `log` is what was done where."""

    def __init__(self, folder: Path, *outcomes: str) -> None:
        self.journal, self.log, self.outcomes = Journal(folder, self.put_back), list[str](), list(outcomes)

    def put_back(self, undo: Undo) -> None:
        self.log.append(f"{undo.node}: mended")

    def must(self, path: str, command: str, line: str = "") -> str:
        if command.startswith("cat "):
            later = {"update_source": "ePO_EPO", "update_via_relay": "india-relay-2"}
            return json.dumps({"relays": ["india-relay-2", "india-relay-1"], **later})
        self.log.append(f"{path}: " + {BAR: "barred", FORGET: "forgets", COUNT: "counted"}[command])
        return "2\n"

    def run(self, path: str, command: str, line: str) -> Ran:
        assert (command, line) == (UPDATE, "update")
        self.log.append(f"{path}: updates")
        outcome = self.outcomes.pop(0)
        if outcome == NOBODY_THERE:
            return Ran(4, "", outcome)
        via = {"update_source": "ePO_EPO", "update_via_relay": "india-relay-1"}
        failed = outcome.startswith("failed")
        return Ran(int(failed), json.dumps({"outcome": outcome, **via}), f"{outcome}\n" if failed else "")


ROUND = [f"{SECOND}: barred", *(f"{PC.path}: {what}" for what in ("forgets", "updates"))]
ROUND += [f"{SECOND}: counted", f"{SECOND}: mended"]
FETCHED = "ePO_EPO: VSCANDAT1000 10001.0000"
NOBODY_THERE = "no agent answers"


@pytest.mark.parametrize(
    ("outcomes", "rounds"),
    [([FETCHED], 1), ([f"ePO_EPO: {LATEST}", FETCHED], 2), ([f"ePO_EPO: {LATEST}"] * 3, 3), (["failed: no way"], 1)],
)
def test_an_agent_is_tried_until_it_was_this_update_that_fetched(
    tmp_path: Path, outcomes: list[str], rounds: int
) -> None:
    place = Place(tmp_path, *outcomes)
    found = lacking(cast(Witness, place), TOPOLOGY, [PC.path])
    complaint = outcomes[-1] if outcomes[-1].startswith("failed") else ""
    assert found == {PC.path: Lack(SECOND, outcomes[-1], complaint, "ePO_EPO", "india-relay-1", 2)}
    assert place.log == ROUND * rounds and not place.journal.pending()


def test_an_agent_that_does_not_obey_is_told(tmp_path: Path) -> None:
    found = lacking(cast(Witness, Place(tmp_path, NOBODY_THERE)), TOPOLOGY, [PC.path])
    assert found == {PC.path: Lack(SECOND, "", NOBODY_THERE, None, None, 2)}


def test_content_through_another_relay_of_the_segment_is_right() -> None:
    assert MOVED.is_proof and lack_troubles(TOPOLOGY, PC, MOVED) == []


def told(via: str, outcome: str = MOVED.outcome, times: int = 3) -> str:
    """What is said of an agent that did something else."""
    return f"it took it from ePO_EPO through {via} ({outcome}); {FIRST} broke off content {times} times"


@pytest.mark.parametrize(
    ("lack", "observed"),
    [
        (replace(MOVED, complaint="failed: broken off"), "the update ended with: failed: broken off"),
        (replace(MOVED, via="india-relay-1"), told("india-relay-1")),
        (replace(MOVED, via=None), told("no relay")),
        (replace(MOVED, via="strange"), told("strange")),
        (replace(MOVED, broken_off=0), told("india-relay-2", times=0)),
        (replace(MOVED, outcome=f"ePO_EPO: {LATEST}"), told("india-relay-2", outcome=f"ePO_EPO: {LATEST}")),
    ],
)
def test_anything_else_is_told(lack: Lack, observed: str) -> None:
    ((wanted, seen),) = lack_troubles(TOPOLOGY, PC, lack)
    assert wanted == f"{WANTED} relay" and seen == observed


def test_an_agent_that_could_not_be_tried_is_told_too() -> None:
    ((wanted, observed),) = lack_troubles(TOPOLOGY, PC, None)
    assert wanted.startswith("india/india-pc: takes content") and "could not be tried" in observed


def test_an_update_that_nobody_needed_or_that_asked_another_relay_proves_nothing() -> None:
    assert not replace(MOVED, broken_off=0).is_proof
    assert not replace(MOVED, outcome=f"ePO_EPO: {LATEST}").is_proof
    assert replace(MOVED, outcome="", complaint="no repository could be used", broken_off=0).is_proof
