"""Promise `relay`: relays serve their segment and nothing but their list; agents behind them live through them."""

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from epolab.hands.beside import all_tried
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.agents import becomes, status
from epolab.verify.behind_relays import Life, behind, content_troubles, live, move_on
from epolab.verify.broken import expect, expect_all
from epolab.verify.listeners import listening
from epolab.verify.outside import BEHIND_RELAY
from epolab.verify.relay_asks import Said, answers_to, patient_answers_to
from epolab.verify.relay_discovery import Found, discovered
from epolab.verify.relay_ends import disconnects
from epolab.verify.relay_lacks import lack_troubles
from epolab.verify.relay_load import crowd_of, load_troubles
from epolab.verify.relay_plan import allowed, cache_troubles, client_of, forbidden, narrow_lists
from epolab.verify.relay_trials import Move, serves, switch
from epolab.verify.ways import goes, in_words, limit_seconds, ways
from epolab.verify.witness import Witness

DISTURBS = True
BACK_LIMIT_SECONDS = 60.0


def test_the_relay_process_listens(witness: Witness, topology: Topology, relay: str) -> None:
    """cmamesh, run as its own user, serves the relay port in both families; in 5.x the agent listens there for it"""
    node = topology.node(relay)
    port, shared = facts.relay_port(topology, node), facts.shares_port(topology, node)
    user, process = ("mfeagent", "cmdagent") if shared else ("cmamesh", "cmamesh")
    expect(serves(witness, topology, relay), f"{relay}: cmamesh serves {port}/tcp", "it does not")
    sockets = listening(witness, relay, port, user)
    expect(bool(sockets), f"{relay}: {process} listens on {port}/tcp", "nobody listens")
    strange = [each.text for each in sockets if (each.user, each.process) != (user, process)]
    expect(not strange, f"{relay}: only {process}, run by {user}, listens on {port}/tcp", "; ".join(strange))
    families = {each.family for each in sockets}
    expect(families == {4, 6}, f"{relay}: {port}/tcp is open in IPv4 and IPv6", f"only in IPv{families}")


def test_the_agent_of_the_relay_reports_the_role(witness: Witness, topology: Topology, whole: None, relay: str) -> None:
    """the agent enforces the relay's role, and the server knows of it"""
    roles = status(witness, relay)["roles"]
    expect(roles.get("relay") is True, f"{relay}: the agent has the role relay in force", f"its roles are {roles}")
    fqdn = topology.node(relay).fqdn
    rows = [row for row in witness.api("miniepo.readiness")["systems"] if row["fqdn"] == fqdn]
    expect([row["relay"] for row in rows] == [True], f"{relay}: the server knows it as a relay", f"it has {rows}")


@pytest.fixture(scope="module", name="found")
def found_fixture(witness: Witness, topology: Topology) -> dict[str, Future[Found]]:
    """Who answers the questions for relays that a node of each segment asks."""
    visited = [node for node in facts.relays(topology) if client_of(topology, node) != node]
    return discovered(witness, topology, witness.running(visited))


def test_discovery_is_answered(
    witness: Witness, topology: Topology, found: dict[str, Future[Found]], visited_relay: str
) -> None:
    """a broadcast and a multicast on the relay's segment find it"""
    node = topology.node(visited_relay)
    client = client_of(topology, node, witness.absent)
    expect_all(
        [
            (
                f"{visited_relay}: answers the discovery of {client.path} at {port}/udp over IPv{family}",
                f"there answered {', '.join(names) or 'nobody'}",
            )
            for family, by_port in found[visited_relay].result().items()
            for port, names in by_port.items()
            if node.name not in names
        ]
    )


@pytest.fixture(scope="module", name="forwarded")
def forwarded_fixture(witness: Witness, topology: Topology) -> dict[str, Future[list[Said]]]:
    """What came of requests for the sites of each relay's list, made at all relays at once."""

    def answers(relay: Node) -> list[Said]:
        return patient_answers_to(witness, client_of(topology, relay, witness.absent), allowed(topology, relay))

    relays = witness.running(facts.relays(topology))
    return {relay.path: outcome for relay, outcome in all_tried(answers, relays).items()}


def test_the_relay_forwards_to_the_sites_of_its_list(
    witness: Witness,
    topology: Topology,
    forwarded: dict[str, Future[list[Said]]],
    relay: str,
) -> None:
    """a client on its segment gets through the relay to every site of the relay's list"""
    client, said = client_of(topology, topology.node(relay), witness.absent), forwarded[relay].result()
    expect(bool(said), f"{relay}: reaches a site of its list", "the site firewalls let it reach none")
    wanted = f"{relay}: forwards {client.path} to"
    expect_all([(f"{wanted} {ask.connect} ({ask.reason})", f"{relay}: {_told(s)}") for ask, s in said if not s["ok"]])
    shown = {ask.site: _certificate(witness, ask.site) for ask, _ in said if ask.site}
    expect_all(
        [
            (f"{wanted} {ask.site}, whose own certificate ends the TLS: {shown[ask.site]}", f"{relay}: shows {found}")
            for ask, answer in said
            if ask.site and (found := answer["certificate"]) != shown[ask.site]
        ]
    )


def _certificate(witness: Witness, path: str) -> str:
    """The SHA-256 of the certificate that a handler has."""
    command = "openssl x509 -in /etc/miniepo/tls/node.pem -outform der | sha256sum"
    return witness.must(path, command).split()[0]


def test_the_relay_refuses_what_is_not_in_its_list(witness: Witness, topology: Topology, relay: str) -> None:
    """the relay forwards to no host, port, spelling or IPv6 form outside its list, and to nothing that is no target"""
    node = topology.node(relay)
    client = client_of(topology, node, witness.absent)
    expect_all(
        [
            (f"{relay}: refuses {client.path} {ask.connect[:80]} ({ask.reason}): {ask.code}", f"{relay}: {_told(said)}")
            for ask, said in answers_to(witness, client, forbidden(topology, node))
            if said["code"] != ask.code
        ]
    )


def _told(said: dict[str, Any]) -> str:
    return f"{said['code'] or ('forwarded' if said['ok'] else 'no answer')}: {said['text']}"


def test_the_server_warns_where_a_list_is_too_narrow(
    witness: Witness, topology: Topology, whole: None, relay: str
) -> None:
    """the server warns of each agent behind the relay whose list has a handler that the relay's lacks, of no other"""
    node = topology.node(relay)
    rows = [row for row in witness.api("miniepo.listRelayWarnings") if row["relay"] == node.fqdn]
    expect_all(narrow_lists(topology, node, {row["client"] for row in rows}, witness.api("miniepo.readiness")))


def test_an_agent_that_cannot_be_a_relay_refuses(
    witness: Witness, topology: Topology, whole: None, refusing: str
) -> None:
    """an agent before 4.8, or on AIX, stays what it is, and the server has the problem that it reported"""
    node = topology.node(refusing)
    roles = status(witness, refusing)["roles"]
    expect(roles.get("relay") is False, f"{refusing}: has not the role relay", f"its roles are {roles}")
    running = witness.run(refusing, "pgrep -u cmamesh").stdout.split()
    expect(not running, f"{refusing}: no relay runs", f"process {', '.join(running)} does")
    rows = [row["problems"] for row in witness.api("miniepo.readiness")["systems"] if row["fqdn"] == node.fqdn]
    wanted = f"{refusing}: the server knows that it cannot be a relay"
    expect(any("cannot be a relay" in text for text in rows), wanted, f"its problems there are {rows}")


def test_policy_turns_the_relay_off_and_on(
    witness: Witness, topology: Topology, whole: None, switched_relay: str
) -> None:
    """a relay is none any more once its policy says so, and one again once that says so"""
    seen = switch(witness, topology, switched_relay)
    wanted = f"{switched_relay}: is no relay, and its port closed, after a policy has turned it off"
    expect(seen.off, wanted, "it is one, or its port open")
    wanted = f"{switched_relay}: is a relay, and its port open, after its own policy counts again"
    expect(seen.on, wanted, "it is none, or its port closed")


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
    """the agent reaches its handler through a relay of its segment"""
    right = ways(topology, topology.node(needy))
    call = life.callins[needy]
    expect(call is not None, f"{needy}: calls in to {in_words(right)}", "no call-in came")
    assert call is not None
    expect(goes(call, right), f"{needy}: calls in to {in_words(right)}", f"it called in to {call.text}")


def test_relays_are_looked_for_at_every_interval(topology: Topology, life: Life, needy: str) -> None:
    """the agent broadcasts and multicasts at each communication, and knows the relays that answer, five at most"""
    regular = life.regular[needy]
    wanted = f"{needy}: looks for relays at each of its {regular} regular communications"
    rare = {family: asked for family, asked in life.asked[needy].items() if asked < max(1, regular - 1)}
    broken = [(f"{wanted}, over IPv{f}", f"no relay heard it more than {rare[f]} times over IPv{f}") for f in rare]
    expect_all(broken + cache_troubles(topology, topology.node(needy), life.after[needy]["relays"]))


def test_the_relay_cannot_read_what_passes(topology: Topology, life: Life, needy: str) -> None:
    """what an agent delivers passes its relays in TLS: nothing of it can be read there"""
    relays = [relay.path for relay in facts.relays_for(topology, topology.node(needy)) if relay.path in life.captures]
    node = topology.node(needy)
    captures = {path: life.captures[path] for path in relays}
    short = [path for path, seen in captures.items() if not seen.whole]
    expect(not short, f"{needy}: what passes {', '.join(relays)} is seen to the end", f"{', '.join(short)}: cut short")
    asked = sum(seen.asked.get(str(address), 0) for seen in captures.values() for address in (node.ipv4, node.ipv6))
    expect(asked > 0, f"{needy}: is seen to ask {', '.join(relays)} for its handler", "it asked none of them")
    sealed = sum(seen.sealed for seen in captures.values())
    expect(sealed > 0, f"{needy}: what passes {', '.join(relays)} is sealed by TLS", "nothing sealed was seen")
    expect_all(
        [
            (f"{needy}: the event {life.text} cannot be read on {path}", f"it was, in {seen.bytes} bytes that passed")
            for path, seen in captures.items()
            if seen.read
        ]
    )


def test_a_policy_arrives_through_the_relay(life: Life, needy: str) -> None:
    """a changed policy reaches the agent at its next communication and is enforced"""
    got = life.policies[needy]
    wanted = f"{needy}: enforces the changed interval of {life.intervals[needy]:g} s"
    expect(got is not None, wanted, f"it enforces {life.after[needy]['asci_seconds']:g} s")


def test_content_arrives(topology: Topology, life: Life, needy: str) -> None:
    """an update takes the master's content through the relay, or from the repository of the agent's own segment"""
    complaint, seen = life.updates[needy], life.updated[needy]
    expect(not complaint, f"{needy}: an update succeeds", complaint)
    expect_all(content_troubles(topology, topology.node(needy), seen, life.content))


def test_content_that_the_relay_lacks_comes_through_the_next(topology: Topology, life: Life, fed: str) -> None:
    """an agent whose current relay takes it to its handler, but brings no content, takes that through the next"""
    expect_all(lack_troubles(topology, topology.node(fed), life.lacks.result().get(fed)))


def test_events_are_delivered_through_the_relay(life: Life, needy: str) -> None:
    """an event raised on the agent is with the server once"""
    count = life.events[needy]
    expect(count == 1, f"{needy}: the event {life.text} is with the server once", f"it is there {count} times")


@pytest.fixture(scope="module", name="held")
def held_fixture(witness: Witness, topology: Topology, life: Life) -> dict[str, Future[list[str]]]:
    """The connections that relays still hold when a transfer is over and their end was waited for, all at once."""

    def left(relay: Node) -> list[str]:
        clients = [node for node in facts.relay_clients(topology, relay) if node.path in life.intervals]
        return disconnects(witness, topology, relay, limit_seconds([*clients, relay]))

    return {relay.path: seen for relay, seen in all_tried(left, witness.running(facts.relays(topology))).items()}


def test_the_relay_ends_both_connections(held: dict[str, Future[list[str]]], relay: str) -> None:
    """when a transfer has ended the relay holds none of its connections, neither to the client nor to the site"""
    left = held[relay].result()
    expect(not left, f"{relay}: ends its connections when their transfers are over", "; ".join(left))


def move_of(moves: dict[str, Move], path: str) -> Move:
    """What became of an agent whose relay was stopped."""
    move = moves.get(path)
    used = f"{path}: its current relay was stopped"
    expect(move is not None, used, "it uses none of the relays of its segments, or another agent has no other")
    assert move is not None
    return move


def test_where_discovery_is_barred_no_relay_is_found(moves: dict[str, Move], needy_with_choice: str) -> None:
    """an agent whose broadcasts and multicasts do not get out finds no relay"""
    found = move_of(moves, needy_with_choice).unfound
    wanted = f"{needy_with_choice}: finds no relay while UDP to 8082 and 8083 is blocked"
    expect(not found, wanted, f"{', '.join(found)} answered")


def test_cached_relays_outlive_the_agents_process(
    topology: Topology, moves: dict[str, Move], needy_with_choice: str
) -> None:
    """an agent that was restarted where it finds no relay calls in through one that it remembers"""
    again, right = move_of(moves, needy_with_choice).again, ways(topology, topology.node(needy_with_choice))
    wanted = f"{needy_with_choice}: calls in to {in_words(right)} after a restart, without a discovery"
    expect(again is not None and goes(again, right), wanted, f"to {again.text}" if again else "no call-in came")


def test_a_stopped_service_stays_stopped(moves: dict[str, Move], needy_with_choice: str) -> None:
    """the relay's service is stopped and started to control it: enforcing the policy does not start it"""
    move = move_of(moves, needy_with_choice)
    expect(
        move.stayed, f"{needy_with_choice}: {move.stopped} stays stopped until it is started", "it was started again"
    )


def test_with_the_relay_stopped_the_next_is_used(moves: dict[str, Move], needy_with_choice: str) -> None:
    """with its current relay stopped the agent calls in through the next"""
    move = move_of(moves, needy_with_choice)
    wanted = f"{needy_with_choice}: calls in to {in_words(move.right)} while {move.stopped} does not serve"
    expect(move.call is not None, wanted, "no call-in came")
    assert move.call is not None
    expect(goes(move.call, move.right), wanted, f"it called in to {move.call.text}")


def test_calls_from_outside_do_not_get_there(topology: Topology, life: Life, needy: str) -> None:
    """a wake-up, a push and the log page do not reach the agent, and the Server Task Log says why"""
    node, broken = topology.node(needy), life.outside.let_in(needy)
    if not facts.wakers(topology, node):
        broken += life.outside.untold(node)
        shown = life.shown.get(needy, "no reply")
        if not ("cannot be shown" in shown and BEHIND_RELAY in shown):
            wanted = f"{needy}: the server cannot show its log, and says that it is behind a relay"
            broken.append((wanted, shown[-400:]))
    expect_all(broken)


def test_the_relays_share_the_load(witness: Witness, whole: None, crowded: str) -> None:
    """twenty agents or more that draw their first responder anew, all at once, are spread over their relays"""
    expect_all(load_troubles(witness, crowd_of(witness, crowded)))
