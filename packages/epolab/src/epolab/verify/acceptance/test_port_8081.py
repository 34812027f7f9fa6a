"""Promise `port-8081`: the agent's port is the agent's, shows its log, obeys real wake-ups and refuses forged ones.

While wake-ups are examined, the agents' policy says "accept connections only from the ePO server".
"""

from collections.abc import Iterator

import pytest

from epolab.model import facts
from epolab.model.topology import Topology
from epolab.verify.agents import port_of, status
from epolab.verify.broken import expect, expect_all
from epolab.verify.callers import Visit, call, wrong_answers
from epolab.verify.contentless import content_of_request
from epolab.verify.knocks import Answer
from epolab.verify.listeners import listening
from epolab.verify.log_pages import Page, fetch, page_troubles
from epolab.verify.outside import Outside, call_from_outside, uncalled
from epolab.verify.slow import SLOW_ASCI_SECONDS, slowed
from epolab.verify.swarm_orders import port_troubles
from epolab.verify.wakeups import Forgeries, Woken, forge, wake
from epolab.verify.witness import Witness

DISTURBS = True
CALLS_IN_WITHIN_SECONDS = 5.0
BEHIND_NAT = "behind address translation"
ONLY_SERVER = {"onlyServerConnections": True}


def test_the_agent_itself_listens_as_its_own_user(witness: Witness, topology: Topology, agent: str) -> None:
    """the agent's own process listens on its port, as its own user, in both families"""
    port = port_of(topology, topology.node(agent))
    sockets = listening(witness, agent, port, "mfeagent")
    expect(bool(sockets), f"{agent}: cmdagent listens on {port}/tcp", "nobody listens")
    strange = [each.text for each in sockets if (each.user, each.process) != ("mfeagent", "cmdagent")]
    expect(not strange, f"{agent}: only cmdagent, run by mfeagent, listens on {port}/tcp", "; ".join(strange))
    families = {each.family for each in sockets}
    expect(families == {4, 6}, f"{agent}: {port}/tcp is open in IPv4 and IPv6", f"only in IPv{families}")


@pytest.fixture(scope="module", name="pages")
def pages_fixture(witness: Witness, topology: Topology, whole: None) -> dict[str, list[Page]]:
    """The log pages of every agent that a handler reaches."""
    return fetch(witness, [node for node in witness.running(facts.agents(topology)) if facts.wakers(topology, node)])


def test_the_log_page_is_shown_to_the_server_side(
    witness: Witness, topology: Topology, pages: dict[str, list[Page]], wakeable: str
) -> None:
    """the log page is shown to the handlers that reach the agent, and says whose it is"""
    expect_all(page_troubles(topology.node(wakeable), status(witness, wakeable)["guid"], pages[wakeable]))


@pytest.fixture(scope="module", name="woken")
def woken_fixture(witness: Witness, topology: Topology, whole: None) -> Iterator[dict[str, Woken]]:
    """Every agent that a handler reaches, made slow, woken up once, the call recorded on its way in."""
    awake = [node for node in witness.running(facts.agents(topology)) if facts.wakers(topology, node)]
    with slowed(witness, awake, ONLY_SERVER) as troubles:
        yield wake(witness, awake, troubles)


def watched(woken: dict[str, Woken], path: str) -> Woken:
    """What an agent's wake-up did; broken when the agent could not be watched."""
    call = woken[path]
    expect(not call.trouble, f"{path}: calls in rarely for a while, and lets its port be watched", call.trouble)
    return call


def test_a_wakeup_is_obeyed_at_once(woken: dict[str, Woken], wakeable: str) -> None:
    """a wake-up makes the agent call in within 5 s, with the wake-up's id, although it is not its time"""
    call = watched(woken, wakeable)
    expect(
        call.asci_seconds >= SLOW_ASCI_SECONDS,
        f"{wakeable}: calls in every {SLOW_ASCI_SECONDS:.0f} s or less often during this check",
        f"it calls in every {call.asci_seconds:.0f} s",
    )
    expect(bool(call.wakeup_id), f"{wakeable}: the server sends a wake-up that arrives", call.reply)
    expect(
        call.seconds is not None and call.seconds <= CALLS_IN_WITHIN_SECONDS,
        f"{wakeable}: calls in within {CALLS_IN_WITHIN_SECONDS:.0f} s with id {call.wakeup_id}",
        "no such call-in came" if call.seconds is None else f"it took {call.seconds:.1f} s",
    )


@pytest.fixture(scope="module", name="forgeries")
def forgeries_fixture(witness: Witness, woken: dict[str, Woken]) -> Forgeries:
    """The real wake-ups again, and forged ones, to every agent at once."""
    return forge(witness, woken)


def test_a_forged_or_replayed_wakeup_is_refused(woken: dict[str, Woken], forgeries: Forgeries, wakeable: str) -> None:
    """a forged wake-up, and the real one replayed byte for byte, are refused and cause no call-in"""
    call = watched(woken, wakeable)
    expect(bool(call.request), f"{wakeable}: the real wake-up can be recorded on its way in", "nothing was recorded")
    broken = [
        (f"{wakeable}: a {what} wake-up is refused with 403", f"{wakeable} answered {answer!r}")
        for what, answer in forgeries.answers[wakeable]
        if not answer.startswith("HTTP/1.1 403")
    ]
    expect_all(broken)
    times = forgeries.callins[wakeable]
    expect(times == 1, f"{wakeable}: one call-in for wake-up {call.wakeup_id}", f"there are {times}")


def test_a_wakeup_carries_no_content(woken: dict[str, Woken], wakeable: str) -> None:
    """what a wake-up brings is who is meant and how to call in: no policy, no task"""
    carried = content_of_request(watched(woken, wakeable).request)
    expect(not carried, f"{wakeable}: its wake-up carries no content", f"{wakeable}: it carries {carried}")


@pytest.fixture(scope="module", name="called")
def called_fixture(witness: Witness, woken: dict[str, Woken]) -> dict[str, list[tuple[Visit, Answer]]]:
    """Calls at every agent's port by handlers and by its own node, while it accepts only those of the ePO server."""
    return call(witness, woken)


def test_only_the_server_side_is_answered(
    woken: dict[str, Woken], called: dict[str, list[tuple[Visit, Answer]]], wakeable: str
) -> None:
    """with "accept connections only from the ePO server" its handlers are answered (by its version), nobody else"""
    watched(woken, wakeable)
    expect_all(wrong_answers(wakeable, called[wakeable]))


def test_a_swarm_listens_on_its_port(witness: Witness, swarm: str) -> None:
    """the one process of a swarm listens on its port, as its own user, in both families"""
    expect_all(port_troubles(witness, swarm))


@pytest.fixture(scope="module", name="outside")
def outside_fixture(witness: Witness, topology: Topology, whole: None) -> Outside:
    """Calls from outside to every agent that goes to its handler itself and that no handler can call."""
    return call_from_outside(witness, topology, witness.running(uncalled(topology)))


def test_who_cannot_be_called_is_not(topology: Topology, outside: Outside, uncallable: str) -> None:
    """where NAT or a site's firewall is in the way, no handler gets to the agent, and the Server Task Log says so"""
    expect_all(outside.let_in(uncallable))
    node = topology.node(uncallable)
    lines, nat = outside.about(node), topology.site(node.site).nat
    told = any(": failed" in line and (not nat or BEHIND_NAT in line) for line in lines)
    why = " and that the agent is behind address translation" if nat else ""
    wanted = f"{uncallable}: the Server Task Log says that the wake-up failed{why}"
    expect(told, wanted, "; ".join(lines) or f"no line about it; the call's answer was {outside.woken!r}")
    states = outside.log_states
    expect(states == ["Failed"], f"{uncallable}: the wake-up is logged as failed", f"as {states}")
