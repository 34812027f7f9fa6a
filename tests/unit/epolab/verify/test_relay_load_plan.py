"""Which agents share relays, how many of them one relay may carry, and what is wrong when they are not shared."""

from math import comb
from pathlib import Path

import pytest

from epolab.topology import load_text, load_topology
from epolab.verify.relay_load_plan import MANY, Arrival, Crowd, crowds, most, wrong_arrivals, wrong_shares

TOPOLOGIES = Path(__file__).parents[4] / "topologies"
FAILOVER = TOPOLOGIES / "relay-failover.yaml"
TOPOLOGY = load_topology(FAILOVER)


def crowds_with(*changes: tuple[str, str]) -> tuple[Crowd, ...]:
    text = FAILOVER.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return crowds(load_text(text.encode(), "lab.yaml").topology)


def test_the_agents_of_a_segment_are_one_crowd_the_most_on_one_node_in_front() -> None:
    [crowd] = crowds(TOPOLOGY)
    assert [node.path for node in crowd.nodes] == ["field/crowd", "field/field-pc", "field/field-old"]
    assert len(crowd.agents) == 22
    assert crowd.agents[0] == "crowd-0001.field.test" and crowd.agents[-1] == "field-old.field.test"
    assert [relay.name for relay in crowd.relays] == ["relay-a", "relay-b", *(f"relay-c-{n}" for n in range(1, 5))]


@pytest.mark.parametrize("name", [path.stem for path in TOPOLOGIES.glob("*.yaml") if path != FAILOVER])
def test_elsewhere_nobody_is_many_behind_relays(name: str) -> None:
    assert crowds(load_topology(TOPOLOGIES / f"{name}.yaml")) == ()


def test_fewer_than_twenty_are_no_crowd() -> None:
    assert MANY == 20
    assert len(crowds_with(("swarm: 20", "swarm: 18"))) == 1
    assert crowds_with(("swarm: 20", "swarm: 17")) == ()


def test_agents_with_a_handler_of_their_own_share_no_relays() -> None:
    assert crowds_with(("      default: deny\n", "      default: allow\n")) == ()


def test_relays_that_lead_to_no_handler_are_not_counted() -> None:
    [crowd] = crowds_with(("{from: [relay-a, relay-b, relay-c]", "{from: [relay-a, relay-c]"))
    assert [relay.name for relay in crowd.relays] == ["relay-a", *(f"relay-c-{n}" for n in range(1, 5))]


def test_one_relay_shares_with_nobody() -> None:
    assert crowds_with(("{from: [relay-a, relay-b, relay-c]", "{from: relay-a")) == ()


def given(*settings: tuple[str, int]) -> str:
    """A relay policy of its own for some relays, with the time within which they answer."""
    policies = ", ".join(
        f"{{name: {node}, category: relay, settings: {{enabled: true, answerWithinMs: {within}}}}}"
        for node, within in settings
    )
    assigned = ", ".join(f"{{policy: {node}, system: field/{node}}}" for node, _ in settings)
    return f"wan:\nmanagement: {{policies: [{policies}], assignments: [{assigned}]}}\n".removeprefix("wan:\n")


@pytest.mark.parametrize("within", [0, 200])
def test_relays_of_which_one_answers_earlier_draw_unfairly(within: int) -> None:
    text = FAILOVER.read_text() + given(("relay-b", within))
    assert crowds(load_text(text.encode(), "lab.yaml").topology) == ()


@pytest.mark.parametrize(
    ("agents", "relays", "limit"), [(22, 6, 13), (20, 6, 13), (20, 3, 16), (20, 2, 19), (500, 2, 299)]
)
def test_more_than_the_most_is_rarer_than_one_in_a_hundred_thousand(agents: int, relays: int, limit: int) -> None:
    def more_than(bound: int) -> float:
        """At most the probability that any relay is drawn by more."""
        ways = sum(comb(agents, k) * (relays - 1) ** (agents - k) for k in range(bound + 1, agents + 1))
        return float(relays * ways / relays**agents)

    assert most(agents, relays) == limit < agents
    assert more_than(limit) < 1e-5 <= more_than(limit - 1)


[CROWD] = crowds(TOPOLOGY)


def came(*through: int) -> dict[str, Arrival]:
    """Agents that came through these relays, by number."""
    return {
        name: Arrival("hq/epo", CROWD.relays[number].name, str(CROWD.relays[number].ipv4))
        for name, number in zip(CROWD.agents, through, strict=True)
    }


def test_a_load_that_is_shared_is_right() -> None:
    assert wrong_shares(TOPOLOGY, CROWD, came(*(n % 6 for n in range(22)))) == []
    assert wrong_shares(TOPOLOGY, CROWD, came(*[0] * 13, *[5] * 9)) == [], "somebody may get none"


def test_the_address_may_be_of_either_family() -> None:
    spread = came(*(n % 6 for n in range(22)))
    name, relay = CROWD.agents[0], CROWD.relays[0]
    assert wrong_arrivals(TOPOLOGY, CROWD, {**spread, name: Arrival("hq/epo", relay.name, str(relay.ipv6))}) == []


def test_a_load_that_is_not_shared_is_told_with_the_shares() -> None:
    [(expected, observed)] = wrong_shares(TOPOLOGY, CROWD, came(*[0] * 14, *[5] * 8))
    assert expected.startswith("field/crowd: 22 agents share relay-a, relay-b,")
    assert expected.endswith("none for more than 13")
    assert observed == "field/crowd: relay-a: 14, relay-b: 0, relay-c-1: 0, relay-c-2: 0, relay-c-3: 0, relay-c-4: 8"
    [(_, observed)] = wrong_shares(TOPOLOGY, CROWD, came(*[2] * 22))
    assert "relay-c-1: 22," in observed


@pytest.mark.parametrize(
    ("odd", "observed"),
    [
        (Arrival("hq/epo", None, "10.3.0.18"), "came to hq/epo through no relay from 10.3.0.18"),
        (Arrival("hq/epo", "relay-z", "10.3.0.18"), "came to hq/epo through relay relay-z from 10.3.0.18"),
        (Arrival("hq/epo", "relay-a", "10.3.0.18"), "came to hq/epo through relay relay-a from 10.3.0.18"),
    ],
)
def test_who_comes_another_way_is_told(odd: Arrival, observed: str) -> None:
    spread = came(*(n % 6 for n in range(22)))
    assert "10.3.0.18" not in {str(relay.ipv4) for relay in CROWD.relays}
    [(expected, told)] = wrong_arrivals(TOPOLOGY, CROWD, {**spread, CROWD.agents[4]: odd})
    assert "each comes through one of relay-a, relay-b, " in expected
    assert told == f"field/crowd: crowd-0005.field.test {observed}"


def test_who_does_not_come_is_told() -> None:
    spread = came(*(n % 6 for n in range(22)))
    for name in CROWD.agents[:4]:
        del spread[name]
    [(expected, told)] = wrong_arrivals(TOPOLOGY, CROWD, spread)
    assert "each of 22 agents that have forgotten their relays calls in" in expected
    assert told.startswith("field/crowd: not crowd-0001.field.test; ") and told.endswith("; and 1 more")


def test_nobody_who_comes_is_no_load_that_is_shared() -> None:
    [(missing, _)], [(shared, shares)] = wrong_arrivals(TOPOLOGY, CROWD, {}), wrong_shares(TOPOLOGY, CROWD, {})
    assert "calls in" in missing and "two at least" in shared and "relay-a: 0, " in shares


def test_agents_that_are_too_many_to_be_asked_at_once_are_no_crowd() -> None:
    text = FAILOVER.read_text().replace("swarm: 20", "swarm: 501")
    assert crowds(load_text(text.encode(), "lab.yaml").topology) == ()
