"""Promise `handlers`: agents use their assigned handler, move to the next when it stops, and come back by rule."""

from importlib import resources
from xml.etree import ElementTree

import pytest

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.ports import HTTPS
from epolab.model.topology import Topology
from epolab.verify.broken import expect, expect_all
from epolab.verify.listeners import listening
from epolab.verify.moving import Absence, Absences, observe
from epolab.verify.ways import goes, in_words, ways
from epolab.verify.witness import Witness

DISTURBS = True
CERTIFICATE_PROGRAM = resources.files("epolab.verify").joinpath("certificate_program.py").read_text()
CA = "/etc/miniepo/ca.pem"
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
    given = {"addresses": addresses, "port": HTTPS, "name": node.fqdn, "ca": CA, "timeout_s": TIMEOUT_SECONDS}
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


def guest_of(topology: Topology, handler: Node) -> Node:
    """Who looks at a handler's certificate: the first agent that reaches it, else the handler itself."""
    agents = facts.agents(topology)
    return next((agent for agent in agents if facts.reachable(topology, agent, handler, "tcp", HTTPS)), handler)


def test_the_site_list_names_the_assigned_handlers(witness: Witness, topology: Topology, agent: str) -> None:
    """the agent's SiteList.xml names its assigned handlers in their order"""
    wanted = [handler.fqdn for handler in facts.handler_order(topology, topology.node(agent))]
    sites = ElementTree.fromstring(witness.must(agent, f"cat {SITE_LIST}")).findall("SiteList/SpipeSite")
    enabled = sorted(
        (site for site in sites if site.get("Enabled") == "1"), key=lambda site: int(site.get("Order", "0"))
    )
    seen = [site.get("Server", "").rpartition(":")[0] for site in enabled]
    expect(seen == wanted, f"{agent}: SiteList.xml names the handlers {wanted}", f"it names {seen}")


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
