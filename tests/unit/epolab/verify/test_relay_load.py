"""How agents draw their relays anew, with a lab that answers from a script."""

from pathlib import Path
from typing import Any

from epolab.topology import load_topology
from epolab.verify.relay_load import DRAWS, ORDER, crowd_of, drawn_anew, load_troubles
from epolab.verify.relay_load_plan import Arrival, crowds
from epolab.verify.witness import Ran, Witness

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "relay-failover.yaml")
[CROWD] = crowds(TOPOLOGY)


def row(name: str, relay: str, received: float, reason: str = "manual") -> dict[str, Any]:
    address = str(TOPOLOGY.node(f"field/{relay}").ipv4)
    return {
        "fqdn": name,
        "handler": "hq/epo",
        "via_relay": relay,
        "remote_address": address,
        "received": received,
        "reason": reason,
    }


class Lab(Witness):
    """A lab whose agents are with the server at the second look; one of them came by itself before, and after."""

    def __init__(self, folder: Path) -> None:
        super().__init__("lab", TOPOLOGY, folder)
        self.told: list[str] = []
        self.looks = 0

    def run(self, path: str, command: str, line: str = "") -> Ran:
        assert command == ORDER
        self.told.append(path)
        return Ran(0, "", "")

    def api(self, command: str, upload: Any = None, /, **words: str) -> Any:
        if command == "miniepo.now":
            return 100.0
        assert (command, words) == ("miniepo.listCallins", {"since": "100.0"})
        self.looks += 1
        came = CROWD.agents if self.looks > 1 else CROWD.agents[:5]
        own = [row(CROWD.agents[0], "relay-b", moment, "asci") for moment in (100.5, 109.0)]
        return [*own, *(row(name, "relay-a", 101.0) for name in came), row("relay-b.field.test", "relay-a", 102.0)]


def test_every_node_is_told_and_every_agent_waited_for(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    seen = drawn_anew(lab, CROWD)
    assert sorted(lab.told) == ["field/crowd", "field/field-old", "field/field-pc"]
    assert lab.looks == 2
    assert set(seen) == set(CROWD.agents)
    assert set(seen.values()) == {Arrival("hq/epo", "relay-a", str(TOPOLOGY.node("field/relay-a").ipv4))}


def test_a_node_that_does_not_run_is_not_waited_for(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    assert crowd_of(lab, "field/crowd") == CROWD
    lab.absent = {"field/field-pc": "exited"}
    crowd = crowd_of(lab, "field/crowd")
    assert [node.path for node in crowd.nodes] == ["field/crowd", "field/field-old"] and len(crowd.agents) == 21
    assert set(drawn_anew(lab, crowd)) == set(crowd.agents)


class Draws(Lab):
    """A lab whose agents come through these relays: one for a whole draw, or in turn through two of them."""

    def __init__(self, folder: Path, *relays: tuple[str, ...]) -> None:
        super().__init__(folder)
        self.relays, self.draws = relays, 0

    def api(self, command: str, upload: Any = None, /, **words: str) -> Any:
        if command == "miniepo.now":
            self.draws += 1
            return 100.0
        used = self.relays[self.draws - 1]
        return [row(name, used[number % len(used)], 101.0) for number, name in enumerate(CROWD.agents)]


def test_a_draw_that_is_uneven_once_is_made_again(tmp_path: Path) -> None:
    lab = Draws(tmp_path, ("relay-a",), ("relay-a", "relay-b", "relay-c-1"))
    assert load_troubles(lab, CROWD) == [] and lab.draws == 2


def test_a_relay_that_is_ahead_in_both_draws_is_told_with_both(tmp_path: Path) -> None:
    lab = Draws(tmp_path, ("relay-a",), ("relay-b",))
    (wanted, first), (_, second) = load_troubles(lab, CROWD)
    assert "two at least" in wanted and "relay-a: 22" in first and "relay-b: 22" in second and lab.draws == DRAWS


def test_an_agent_that_comes_another_way_is_told_at_once(tmp_path: Path) -> None:
    lab = Draws(tmp_path, ("relay-a", "relay-b", "relay-c-1"))
    known = lab.api

    def api(command: str, upload: Any = None, /, **words: str) -> Any:
        said = known(command, upload, **words)
        return said if command == "miniepo.now" else [{**said[0], "via_relay": None}, *said[1:]]

    lab.api = api  # type: ignore[method-assign]
    [(wanted, _)] = load_troubles(lab, CROWD)
    assert "each comes through one of" in wanted and lab.draws == 1
