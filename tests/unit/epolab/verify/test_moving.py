"""What is planned for agents whose handler stops."""

import json
from pathlib import Path
from typing import cast

from epolab.hands.until import seconds
from epolab.topology import load_topology
from epolab.verify.moving import Absence, _look_at_stranded, _planned
from epolab.verify.ways import Way
from epolab.verify.witness import Ran, Witness

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")


def test_users_of_a_handler_go_to_their_next_and_come_back() -> None:
    handler, user = TOPOLOGY.node("dmz/handler"), TOPOLOGY.node("tokyo/tokyo-pc-1")
    (absence,) = _planned(TOPOLOGY, handler, [user]).values()
    assert (absence.handler, absence.right, absence.home) == ("dmz/handler", (Way("hq/epo"),), (Way("dmz/handler"),))


def test_every_agent_has_an_event_of_its_own() -> None:
    handler = TOPOLOGY.node("dmz/handler")
    users = [TOPOLOGY.node("tokyo/tokyo-pc-1"), TOPOLOGY.node("tokyo/tokyo-pc-2")]
    assert len({absence.text for absence in _planned(TOPOLOGY, handler, users).values()}) == 2


class Stranded:
    """Agents of which one has found out that nobody answers; what they raise lies on their disks."""

    def __init__(self, knows: str) -> None:
        self._knows = knows

    def must(self, path: str, command: str) -> str:
        if "status.json" not in command:
            return "1\n"
        return json.dumps({"unreachable_handlers": ["epo"] if path == self._knows else []})

    def run(self, path: str, command: str) -> Ran:
        return Ran(0, command, "")


def test_all_agents_without_a_way_are_waited_for_once() -> None:
    began, knows = seconds(), "far/pc-48"
    absences = {f"far/pc-{number}": Absence("hq/epo", (), (), f"event-{number}") for number in range(1, 49)}
    _look_at_stranded(cast(Witness, Stranded(knows)), absences, 0.5)
    assert seconds() - began < 0.5 * 4  # eight at a time, each waiting for itself, took six times as long
    assert {path for path, absence in absences.items() if absence.noticed} == {knows}
    assert all(absence.spooled == 1 and absence.enforced for absence in absences.values())
