"""Promise `handlers`: agents use their assigned handler, move to the next when it stops, and come back by rule."""

from importlib import resources
from xml.etree import ElementTree

import pytest

from epolab.model import facts
from epolab.model.ports import HTTPS
from epolab.model.topology import Topology
from epolab.verify import preferred, refused
from epolab.verify.broken import expect, expect_all
from epolab.verify.doors import CONNECTIONS, Seen, crowd_served, guest_of, look_at, own_of, strangers_served
from epolab.verify.drawing import DRAWS, Moved, call_in, drawing, equals, movable, move, wrong_draws, wrong_move
from epolab.verify.listeners import listening
from epolab.verify.moving import Absence, Absences, observe
from epolab.verify.nat_rules import bare_callins
from epolab.verify.preferred import Brought, wrong_deputy, wrong_preference
from epolab.verify.relay_plan import CA
from epolab.verify.ways import goes, in_words, ways
from epolab.verify.without_server import Served, askers, wrong_service
from epolab.verify.without_server import observe as without_server
from epolab.verify.witness import Witness

DISTURBS = True
CERTIFICATE_PROGRAM = resources.files("epolab.verify").joinpath("certificate_program.py").read_text()
SITE_LIST = "/var/lib/miniepo/agent/SiteList.xml"
TIMEOUT_SECONDS = 5.0


def test_the_handler_process_listens(witness: Witness, handler: str) -> None:
    """the handler listens on the agent-server port over TLS as its own user, in both families"""
    sockets = listening(witness, handler, HTTPS, "miniepo")
    expect(bool(sockets), f"{handler}: the handler listens on {HTTPS}/tcp", "nobody listens")
    strange = [each.text for each in sockets if each.user != "miniepo"]
    expect(not strange, f"{handler}: only the user miniepo listens on {HTTPS}/tcp", "; ".join(strange))
    families = {each.family for each in sockets}
    expect(families == {4, 6}, f"{handler}: {HTTPS}/tcp is open in IPv4 and IPv6", f"only in IPv{families}")


def test_the_handler_shows_a_certificate_of_the_lab(witness: Witness, topology: Topology, handler: str) -> None:
    """the handler's certificate is of the lab's CA and names it, in both families"""
    node = topology.node(handler)
    guest = guest_of(topology, node)
    addresses = [str(node.ipv4), str(node.ipv6)]
    asked = {"addresses": addresses, "port": HTTPS, "name": node.fqdn, "ca": CA}
    given = {**asked, "own": list(own_of(guest)), "timeout_s": TIMEOUT_SECONDS}
    expect_all(
        [
            (
                f"{handler}: shows {guest.path} at {seen['address']} a certificate of the lab's CA for {node.fqdn}",
                f"{handler}: {seen['text']}",
            )
            for seen in witness.python(guest.path, CERTIFICATE_PROGRAM, given)
            if not seen["ok"]
        ]
    )


@pytest.fixture(scope="module", name="doors")
def doors_fixture(witness: Witness, topology: Topology) -> dict[str, Seen]:
    """Who gets in at each handler that runs."""
    return look_at(witness, witness.running(facts.handlers(topology)), limit=0)


def test_the_handler_serves_its_lab_alone(doors: dict[str, Seen], handler: str) -> None:
    """the TLS port serves who shows a certificate of the lab, the plain port signed content only"""
    expect_all(strangers_served(handler, doors[handler]))


def test_the_site_list_names_the_assigned_handlers(witness: Witness, topology: Topology, agent: str) -> None:
    """the agent's SiteList.xml names its assigned handlers in their order, equals with one order"""
    tiers = facts.handler_tiers(topology, topology.node(agent))
    wanted = [sorted(handler.fqdn for handler in tier) for tier in tiers]
    sites = ElementTree.fromstring(witness.must(agent, f"cat {SITE_LIST}")).findall("SiteList/SpipeSite")
    found: dict[int, list[str]] = {}
    for site in sites:
        if site.get("Enabled") == "1":
            found.setdefault(int(site.get("Order", "0")), []).append(site.get("Server", "").rpartition(":")[0])
    seen = [sorted(found[order]) for order in sorted(found)]
    expect(seen == wanted, f"{agent}: SiteList.xml names the handlers {in_tiers(wanted)}", f"it names {in_tiers(seen)}")


def in_tiers(tiers: list[list[str]]) -> str:
    """Handlers in their order for people."""
    return ", then ".join(" or ".join(tier) for tier in tiers) or "none"


@pytest.fixture(scope="module", name="absences")
def absences_fixture(witness: Witness, topology: Topology, whole: None) -> Absences:
    """Each handler that agents use, stopped once, with all its agents watched before, meanwhile and afterwards."""
    return observe(witness, topology)


def test_the_agent_uses_its_handler(topology: Topology, absences: Absences, agent: str) -> None:
    """the agent calls in to the first handler of its order that it reaches"""
    right, call = ways(topology, topology.node(agent)), absences.before[agent]
    expect(call is not None, f"{agent}: calls in to {in_words(right)}", "no call-in came")
    assert call is not None
    expect(goes(call, right), f"{agent}: calls in to {in_words(right)}", f"it called in to {call.text}")


def absences_of(absences: Absences, agent: str) -> list[Absence]:
    """The times when the agent's handler was stopped; an agent that was not at its handler before has none."""
    found = absences.by_agent[agent]
    expect(bool(found), f"{agent}: is watched while its handler is stopped", "it was not at its handler before that")
    return found


def test_the_agent_does_without_a_stopped_handler(absences: Absences, agent: str) -> None:
    """with its handler stopped the agent goes on to the next, or enforces on its own and keeps its events"""
    expect_all([broken for absence in absences_of(absences, agent) for broken in without_handler(agent, absence)])


def without_handler(agent: str, absence: Absence) -> list[tuple[str, str]]:
    """What is wrong about an agent while its handler was stopped, as (expected, observed)."""
    while_stopped = f"while {absence.handler} does not serve"
    if absence.right:
        wanted = f"{agent}: calls in to {in_words(absence.right)} {while_stopped}"
        if absence.call is None:
            return [(wanted, f"{agent}: no call-in came")]
        return [] if goes(absence.call, absence.right) else [(wanted, f"{agent}: it called in to {absence.call.text}")]
    broken = []
    if not absence.noticed:
        broken.append(
            (f"{agent}: notices that no handler answers {while_stopped}", f"{agent}: it reports none missing")
        )
    if absence.enforced is None or absence.enforced.code:
        told = absence.enforced.stderr.strip() if absence.enforced else "nothing"
        broken.append((f"{agent}: enforces its policies {while_stopped}", f"{agent}: {told}"))
    if absence.spooled != 1:
        broken.append((f"{agent}: keeps its event {while_stopped}", f"{agent}: {absence.spooled} in its spool"))
    return broken


def test_the_agent_comes_back_by_rule(absences: Absences, agent: str) -> None:
    """when its handler runs again, the agent is back at it within a few intervals"""
    for absence in absences_of(absences, agent):
        wanted = f"{agent}: calls in to {in_words(absence.home)} again after {absence.handler} was stopped"
        expect(absence.back is not None, wanted, "no call-in came")
        assert absence.back is not None
        expect(goes(absence.back, absence.home), wanted, f"it called in to {absence.back.text}")


def test_no_event_is_lost_or_doubled(absences: Absences, agent: str) -> None:
    """an event raised while the handler was stopped is with the server once"""
    expect_all(
        [
            (
                f"{agent}: the event raised while {absence.handler} was stopped is with the server once",
                f"{agent}: it is there {absence.events} times",
            )
            for absence in absences_of(absences, agent)
            if absence.events != 1
        ]
    )


def test_the_handler_sees_the_router_of_a_site_behind_nat(
    witness: Witness, topology: Topology, absences: Absences, masked: str
) -> None:
    """to its handler, an agent behind NAT calls in from its router's address on the WAN link, each time"""
    node = topology.node(masked)
    calls = witness.api("miniepo.listCallins", name=node.fqdn, since=str(absences.began))
    expect_all(bare_callins(topology, node, calls))


@pytest.fixture(scope="module", name="draws")
def draws_fixture(witness: Witness, topology: Topology) -> dict[str, list[str]]:
    """The handlers that agents which draw used, having called in several times."""
    return call_in(witness, topology, witness.running(drawing(topology)), DRAWS)


def test_the_agent_draws_among_equals(topology: Topology, draws: dict[str, list[str]], drawing: str) -> None:
    """an agent whose handlers are equals uses all of them by and by"""
    expect_all(wrong_draws(drawing, equals(topology, topology.node(drawing)), draws[drawing]))


@pytest.fixture(scope="module", name="moves")
def moves_fixture(witness: Witness, topology: Topology, whole: None) -> dict[str, Moved]:
    """Agents that a new rule sends to another handler, and back."""
    return move(witness, topology, witness.running(movable(topology)))


def test_a_new_rule_counts_at_the_call_in_after_the_one_that_brought_it(
    topology: Topology, moves: dict[str, Moved], movable: str
) -> None:
    """a rule by subnet goes before others, and its list counts from the communication after its delivery"""
    home = [way.handler for way in ways(topology, topology.node(movable))]
    expect_all(wrong_move(movable, home, moves[movable]))


@pytest.fixture(scope="module", name="brought")
def brought_fixture(witness: Witness, topology: Topology, whole: None) -> dict[str, list[Brought]]:
    """Wake-ups that any handler might bring to agents which several may call, each right after a call-in."""
    return preferred.observe(witness, witness.running(preferred.shared(topology)))


def test_the_last_handler_is_preferred(brought: dict[str, list[Brought]], shared: str) -> None:
    """of all handlers that may call an agent, the one that it talked to last does"""
    expect_all(wrong_preference(shared, brought[shared]))


def test_the_first_that_asks_does_it_when_the_last_handler_is_away(
    topology: Topology, absences: Absences, shared: str
) -> None:
    """while the handler that an agent talked to last is stopped, another one calls it"""
    told = [(absence.handler, absence.woken) for absence in absences_of(absences, shared) if absence.woken is not None]
    expect(bool(told), f"{shared}: is woken while its handler is stopped", "no wake-up was ordered")
    expect_all([wrong for away, each in told for wrong in wrong_deputy(topology, shared, away, each)])


@pytest.fixture(scope="module", name="served")
def served_fixture(witness: Witness, topology: Topology, whole: None) -> dict[str, Served]:
    """What agents got from their handlers while the server process did not run."""
    return without_server(witness, topology)


def test_the_handler_serves_without_the_server_process(
    topology: Topology, served: dict[str, Served], asked_handler: str
) -> None:
    """policies and tasks are delivered, reports and events kept while the server process does not run"""
    agent = askers(topology)[asked_handler].path
    expect_all(wrong_service(topology.node(asked_handler), agent, served[agent]))


def test_a_refused_crowd_goes_to_the_next_handler_and_spreads(
    witness: Witness, topology: Topology, whole: None, refusable_swarm: str
) -> None:
    """agents whose first handler is full call in to another one, each at a moment of its own, and none is lost"""
    expect_all(refused.wrong_retries(topology.node(refusable_swarm), refused.observe(witness, refusable_swarm)))


@pytest.fixture(scope="module", name="crowds")
def crowds_fixture(witness: Witness, topology: Topology) -> dict[str, Seen]:
    """What each handler tells one connection too many; last of all, because it keeps agents out for a moment."""
    return look_at(witness, witness.running(facts.handlers(topology)), limit=CONNECTIONS)


def test_the_handler_refuses_one_connection_too_many(crowds: dict[str, Seen], handler: str) -> None:
    """with 245 connections open the next one is refused in words, and served when they have gone"""
    expect_all(crowd_served(handler, crowds[handler]))
