"""Who is asked for relays, how often, and whose answer counts for which relay."""

from __future__ import annotations

from typing import Any

import pytest

from epolab.errors import WorldError
from epolab.model import facts
from epolab.topology import load_text
from epolab.verify.relay_discovery import discovered

TEXT = b"""epolab: 1
sites:
  hq: {nodes: {epo: {components: [server, sql]}}}
  near:
    firewall: {default: deny, rules: [{allow: {from: near-relay, to: [hq]}}]}
    nodes: {near-relay: {components: relay, count: 4}, near-pc: {components: agent}}
  far:
    firewall: {default: deny, rules: [{allow: {from: far-relay, to: [hq]}}]}
    nodes: {far-relay: {components: relay}, far-pc: {components: agent}}
wan: [{between: [hq, near]}, {between: [hq, far]}]
management:
  policies: [{name: One port, category: relay, settings: {enabled: true, discoveryPorts: [8083]}}]
  assignments: [{policy: One port, system: near/near-relay-4}]
"""
TOPOLOGY = load_text(TEXT, "two.yaml").topology
assert TOPOLOGY is not None
RELAYS = facts.relays(TOPOLOGY)
PORTS = (8082, 8083)
NEAR = frozenset({"near-relay-1", "near-relay-2", "near-relay-3"})
ONE_PORT = frozenset({"near-relay-4"})


class Script:
    """Clients that find the first relay of the nearer site at every port; those of one site may fail."""

    def __init__(self, failing: str = "none") -> None:
        self.absent: dict[str, str] = {}
        self.asked: list[tuple[str, tuple[int, ...], frozenset[str]]] = []
        self._failing = failing

    def python(self, path: str, program: str, value: Any) -> Any:
        assert "looks for relays" in program
        self.asked.append((path.partition("/")[0], tuple(value["ports"]), frozenset(value["expected"])))
        if path.startswith(f"{self._failing}/"):
            raise WorldError(f"{path} is gone")
        return {family: {str(port): ["near-relay-1"] for port in value["ports"]} for family in "46"}


def test_a_client_asks_once_for_all_relays_of_its_segment_that_listen_at_these_ports() -> None:
    script = Script()
    found = discovered(script, TOPOLOGY, RELAYS)  # type: ignore[arg-type]
    asked = [("far", PORTS, frozenset({"far-relay"})), ("near", PORTS, NEAR), ("near", (8083,), ONE_PORT)]
    assert sorted(script.asked, key=lambda each: (each[0], -len(each[1]))) == asked
    both, one = ({str(port): ["near-relay-1"] for port in ports} for ports in (PORTS, (8083,)))
    assert found.pop("near/near-relay-4").result() == {"4": one, "6": one}
    assert set(found) == {"far/far-relay", *(f"near/{name}" for name in NEAR)}
    assert all(each.result() == {"4": both, "6": both} for each in found.values())


def test_a_client_that_fails_fails_its_own_relays_only() -> None:
    found = discovered(Script(failing="near"), TOPOLOGY, RELAYS)  # type: ignore[arg-type]
    for name in NEAR | ONE_PORT:
        with pytest.raises(WorldError, match="is gone"):
            found[f"near/{name}"].result()
    assert found["far/far-relay"].result()["4"]
