"""Promise `port-8081`: the agent's port is the agent's, shows its log, obeys real wake-ups and refuses forged ones."""

from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from epolab.model import facts
from epolab.model.topology import Topology
from epolab.verify.agents import port_of, status
from epolab.verify.broken import expect, expect_all
from epolab.verify.listeners import listening
from epolab.verify.slow import SLOW_ASCI_SECONDS, slowed
from epolab.verify.wakeups import Woken, forged, replay, wake
from epolab.verify.witness import Witness

DISTURBS = True
CALLS_IN_WITHIN_SECONDS = 5.0


def test_the_agent_itself_listens_as_its_own_user(witness: Witness, topology: Topology, agent: str) -> None:
    """the agent's own process listens on its port, as its own user, in both families"""
    port = port_of(topology, topology.node(agent))
    sockets = listening(witness, agent, port, "mfeagent")
    expect(bool(sockets), f"{agent}: cmdagent listens on {port}/tcp", "nobody listens")
    strange = [each.text for each in sockets if (each.user, each.process) != ("mfeagent", "cmdagent")]
    expect(not strange, f"{agent}: only cmdagent, run by mfeagent, listens on {port}/tcp", "; ".join(strange))
    families = {each.family for each in sockets}
    expect(families == {4, 6}, f"{agent}: {port}/tcp is open in IPv4 and IPv6", f"only in IPv{families}")


def test_the_log_page_is_shown_to_the_server_side(witness: Witness, topology: Topology, wakeable: str) -> None:
    """the log page is shown to the handlers that reach the agent, and says whose it is"""
    node = topology.node(wakeable)
    port, guid = port_of(topology, node), status(witness, wakeable)["guid"]
    for waker in facts.wakers(topology, node):
        for address in (str(node.ipv4), f"[{node.ipv6}]"):
            url = f"http://{address}:{port}/"
            ran = witness.run(waker.path, f"curl -sS -g --max-time 5 {url}")
            expect(ran.code == 0, f"{wakeable}: {url} is shown to {waker.path}", ran.stderr.strip())
            page = ElementTree.fromstring(ran.stdout)
            seen = (page.tag, page.get("ComputerName"), page.get("AgentGUID"))
            wanted = ("naLog", node.name, f"{{{guid}}}")
            expect(seen == wanted, f"{wakeable}: the page is {wanted}", f"it is {seen}")
            expect(page.find("Log") is not None, f"{wakeable}: the log page has entries", "it has none")


@pytest.fixture(scope="module", name="woken")
def woken_fixture(witness: Witness, topology: Topology, whole: None) -> Iterator[dict[str, Woken]]:
    """Every agent that a handler reaches, made slow, woken up once, the call recorded on its way in."""
    awake = [node for node in witness.running(facts.agents(topology)) if facts.wakers(topology, node)]
    with slowed(witness, awake) as troubles:
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


def test_a_forged_or_replayed_wakeup_is_refused(witness: Witness, woken: dict[str, Woken], wakeable: str) -> None:
    """a forged wake-up, and the real one replayed byte for byte, are refused and cause no call-in"""
    call = watched(woken, wakeable)
    expect(bool(call.request), f"{wakeable}: the real wake-up can be recorded on its way in", "nothing was recorded")
    broken = [
        (f"{wakeable}: a {what} wake-up is refused with 403", f"{wakeable} answered {answer!r}")
        for what, request in (("replayed", call.request), *forged(call.request))
        if not (answer := replay(witness, call, request)).startswith("HTTP/1.1 403")
    ]
    expect_all(broken)
    again = [c for c in witness.api("miniepo.listCallins", name=call.fqdn) if c["wakeup_id"] == call.wakeup_id]
    expect(len(again) == 1, f"{wakeable}: one call-in for wake-up {call.wakeup_id}", f"there are {len(again)}")
