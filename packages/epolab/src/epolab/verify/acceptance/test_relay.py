"""Promise `relay`: relays serve their segment and nothing but their list; agents behind them live through them."""

from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.ports import BROADCAST, DISCOVERY_GROUP_V6
from epolab.model.topology import Topology
from epolab.verify.agents import becomes, status
from epolab.verify.behind_relays import Life, Move, behind, content_troubles, live, move_on
from epolab.verify.broken import expect, expect_all
from epolab.verify.listeners import listening
from epolab.verify.relay_plan import Ask, allowed, client_of, discovery_ports, forbidden
from epolab.verify.ways import goes, in_words, limit_seconds, ways
from epolab.verify.witness import Witness

DISTURBS = True
BACK_LIMIT_SECONDS = 60.0
RELAY_PROGRAM = resources.files("epolab.verify").joinpath("relay_program.py").read_text()
DISCOVERY_PROGRAM = resources.files("epolab.verify").joinpath("discovery_program.py").read_text()


def test_the_relay_process_listens(witness: Witness, topology: Topology, relay: str) -> None:
    """cmamesh, run as its own user, listens on the relay port in both families"""
    port = facts.relay_port(topology, topology.node(relay))
    sockets = listening(witness, relay, port, "cmamesh")
    expect(bool(sockets), f"{relay}: cmamesh listens on {port}/tcp", "nobody listens")
    strange = [each.text for each in sockets if (each.user, each.process) != ("cmamesh", "cmamesh")]
    expect(not strange, f"{relay}: only cmamesh, run by cmamesh, listens on {port}/tcp", "; ".join(strange))
    families = {each.family for each in sockets}
    expect(families == {4, 6}, f"{relay}: {port}/tcp is open in IPv4 and IPv6", f"only in IPv{families}")


def test_the_agent_of_the_relay_reports_the_role(witness: Witness, topology: Topology, whole: None, relay: str) -> None:
    """the agent enforces the relay's role, and the server knows of it"""
    roles = status(witness, relay)["roles"]
    expect(roles.get("relay") is True, f"{relay}: the agent has the role relay in force", f"its roles are {roles}")
    fqdn = topology.node(relay).fqdn
    rows = [row for row in witness.api("miniepo.readiness")["systems"] if row["fqdn"] == fqdn]
    expect([row["relay"] for row in rows] == [True], f"{relay}: the server knows it as a relay", f"it has {rows}")


def test_discovery_is_answered(witness: Witness, topology: Topology, visited_relay: str) -> None:
    """a broadcast and a multicast on the relay's segment find it"""
    node = topology.node(visited_relay)
    client = client_of(topology, node, witness.absent)
    ports = discovery_ports(topology, node)
    asked = {
        "ports": ports,
        "answer_port": BROADCAST,
        "group": DISCOVERY_GROUP_V6,
        "wait_s": 0.5,
        "rounds": 4,
        "expected": [node.name],
    }
    found = witness.python(client.path, DISCOVERY_PROGRAM, asked)
    expect_all(
        [
            (
                f"{visited_relay}: answers the discovery of {client.path} at {port}/udp over IPv{family}",
                f"there answered {', '.join(names) or 'nobody'}",
            )
            for family, by_port in found.items()
            for port, names in by_port.items()
            if node.name not in names
        ]
    )


def answers_to(witness: Witness, client: Node, asks: list[Ask]) -> list[tuple[Ask, dict[str, Any]]]:
    """What came of these requests, made by a client all at once."""
    said = witness.python(client.path, RELAY_PROGRAM, [ask.to_document() for ask in asks])
    return list(zip(asks, said, strict=True))


def test_the_relay_forwards_to_the_sites_of_its_list(witness: Witness, topology: Topology, relay: str) -> None:
    """a client on its segment gets through the relay to every site of the relay's list"""
    node = topology.node(relay)
    client = client_of(topology, node, witness.absent)
    asks = allowed(topology, node)
    expect(bool(asks), f"{relay}: reaches a site of its list", "the site firewalls let it reach none")
    expect_all(
        [
            (f"{relay}: forwards {client.path} to {ask.connect} ({ask.reason})", f"{relay}: {_told(said)}")
            for ask, said in answers_to(witness, client, asks)
            if not said["ok"]
        ]
    )


def test_the_relay_refuses_what_is_not_in_its_list(witness: Witness, topology: Topology, relay: str) -> None:
    """the relay forwards to no host, port or IPv6 address outside its list"""
    node = topology.node(relay)
    client = client_of(topology, node, witness.absent)
    expect_all(
        [
            (f"{relay}: refuses {client.path} {ask.connect} ({ask.reason}) as not listed", f"{relay}: {_told(said)}")
            for ask, said in answers_to(witness, client, forbidden(topology, node))
            if said["code"] != "not-listed"
        ]
    )


def _told(said: dict[str, Any]) -> str:
    return f"{said['code'] or ('forwarded' if said['ok'] else 'no answer')}: {said['text']}"


@pytest.fixture(scope="module", name="life")
def life_fixture(witness: Witness, topology: Topology, whole: None) -> Iterator[Life]:
    """A policy, an update, an event and calls from outside, for all agents behind relays at once; then as before."""
    yield live(witness, topology)
    for node in witness.running(behind(topology)):
        interval = node.asci_seconds
        limit = max(BACK_LIMIT_SECONDS, limit_seconds([node]))
        back = becomes(witness, node.path, lambda seen, asci=interval: seen["asci_seconds"] == asci, limit)  # type: ignore[misc]
        expect(back is not None, f"{node.path}: has its own policy again", "it enforces that of the check")


@pytest.fixture(scope="module", name="moves")
def moves_fixture(witness: Witness, topology: Topology, life: Life) -> dict[str, Move]:
    """Every relay in use that has a second one beside it, stopped once; by node path of the agents that used it."""
    return move_on(witness, topology)


def test_the_agent_calls_in_through_a_relay(topology: Topology, life: Life, needy: str) -> None:
    """the agent reaches its handler through a relay of its segment, and by no other way"""
    right = ways(topology, topology.node(needy))
    call = life.callins[needy]
    expect(call is not None, f"{needy}: calls in to {in_words(right)}", "no call-in came")
    assert call is not None
    expect(goes(call, right), f"{needy}: calls in to {in_words(right)}", f"it called in to {call.text}")


def test_a_policy_arrives_through_the_relay(life: Life, needy: str) -> None:
    """a changed policy reaches the agent at its next communication and is enforced"""
    got = life.policies[needy]
    wanted = f"{needy}: enforces the changed interval of {life.intervals[needy]:g} s"
    expect(got is not None, wanted, f"it enforces {life.after[needy]['asci_seconds']:g} s")


def test_content_arrives(topology: Topology, life: Life, needy: str) -> None:
    """an update takes the master's content through the relay, or from the repository of the agent's own segment"""
    ran, seen = life.updates[needy], life.updated[needy]
    expect(ran.code == 0, f"{needy}: an update succeeds", ran.stderr.strip())
    expect_all(content_troubles(topology, topology.node(needy), seen, life.content))


def test_events_are_delivered_through_the_relay(life: Life, needy: str) -> None:
    """an event raised on the agent is with the server once"""
    count = life.events[needy]
    expect(count == 1, f"{needy}: the event {life.text} is with the server once", f"it is there {count} times")


def test_with_the_relay_stopped_the_next_is_used(moves: dict[str, Move], needy_with_choice: str) -> None:
    """with its current relay stopped the agent calls in through the next"""
    move = moves.get(needy_with_choice)
    used = f"{needy_with_choice}: its current relay was stopped"
    expect(move is not None, used, "it uses none of the relays of its segments, or another agent has no other")
    assert move is not None
    wanted = f"{needy_with_choice}: calls in to {in_words(move.right)} while {move.stopped} does not serve"
    expect(move.call is not None, wanted, "no call-in came")
    assert move.call is not None
    expect(goes(move.call, move.right), wanted, f"it called in to {move.call.text}")


def test_calls_from_outside_do_not_get_there(topology: Topology, life: Life, needy: str) -> None:
    """a wake-up and the log page do not reach the agent, and the Server Task Log says why"""
    node = topology.node(needy)
    if not facts.wakers(topology, node):
        lines = [line for line in life.log if line.startswith(f"{node.name}: ")]
        wanted = f"{needy}: the Server Task Log says that the wake-up failed and that the agent is behind a relay"
        told = any(": failed " in line and "through relay" in line for line in lines)
        expect(told, wanted, "; ".join(lines) or f"no line about it; the call's answer was {life.woken!r}")
        expect(life.log_states == ["Failed"], f"{needy}: the wake-up is logged as failed", f"as {life.log_states}")
    expect_all(
        [
            (f"{needy}: {handler} does not get its log page at {knock.address}", f"{handler}: {answer.text}")
            for handler, knock, answer in life.knocks[needy]
            if answer.answered
        ]
    )
