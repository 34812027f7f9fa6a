"""Promise `wake-up`: agents are called by their names in order, as often as asked; SuperAgents wake their segments and
no others; each system is told of; pushes install agents."""

from collections.abc import Iterator

import pytest

from epolab.model import facts
from epolab.model.topology import Topology
from epolab.verify import wake_trials_plan
from epolab.verify.agents import port_of
from epolab.verify.broken import expect, expect_all
from epolab.verify.contentless import content_of
from epolab.verify.pushes import Pushed, pushed
from epolab.verify.segment_calls import FORGED, REPLAYED, Called, call_all
from epolab.verify.segment_plan import NO_SUPERAGENT, OWN_ASCI, has_superagent, segment, shouted_to, woken
from epolab.verify.swarm_orders import wake_swarm
from epolab.verify.swarm_orders_plan import wrong_calls_in_vain, wrong_wakeup
from epolab.verify.wake_trials import make
from epolab.verify.wake_trials_plan import (
    Trials,
    out_of_order,
    wrong_abort,
    wrong_attempts,
    wrong_names,
    wrong_opening,
)
from epolab.verify.witness import Witness

DISTURBS = True


@pytest.fixture(scope="module", name="called")
def called_fixture(witness: Witness, topology: Topology, whole: None) -> Called:
    """All agents woken once by way of their SuperAgents."""
    return call_all(witness, topology)


def test_a_superagent_wakes_its_segment_and_no_other(topology: Topology, called: Called, agent: str) -> None:
    """an agent in the segment of a SuperAgent calls in after its broadcast, any other does not"""
    node = topology.node(agent)
    told, ids = called.about(node), woken(called.calls, node.fqdn)
    if shouted_to(topology, node):
        expect(bool(told.wakeup_id), f"{agent}: a SuperAgent of {segment(node)} is told to wake it", told.message)
        count = ids.count(told.wakeup_id)
        expect(count == 1, f"{agent}: calls in once after the broadcast on {segment(node)}", f"it did {count} times")
        return
    others = {each.wakeup_id for each in called.log.values()} & set(ids)
    expect(not others, f"{agent}: is not woken, there is no SuperAgent to do it", f"it was, by {', '.join(others)}")


def test_the_task_log_tells_each_system(topology: Topology, called: Called, agent: str) -> None:
    """the Server Task Log has a subtask for the system, with its outcome and the reason"""
    node = topology.node(agent)
    told = called.about(node)
    state = "Completed" if shouted_to(topology, node) else "Failed"
    expect(
        told.state == state, f"{agent}: the wake-up is logged as {state}", f"{told.state or 'nothing'}: {told.message}"
    )
    if not has_superagent(topology, node):
        expect(NO_SUPERAGENT in told.message, f"{agent}: the log says that {NO_SUPERAGENT}", told.message)


def test_what_cannot_be_called_is_told_with_the_reason(topology: Topology, called: Called, unwakeable: str) -> None:
    """a wake-up for an agent behind a relay or NAT fails, and the Server Task Log and server.log say why"""
    node = topology.node(unwakeable)
    told = called.direct.get(node.fqdn)
    expect(
        told is not None,
        f"{unwakeable}: the Server Task Log tells of its wake-up",
        f"nothing; the reply: {called.reply!r}",
    )
    assert told is not None
    expect(told.state == "Failed", f"{unwakeable}: its wake-up is logged as Failed", f"{told.state}: {told.message}")
    expect(OWN_ASCI in told.message, f"{unwakeable}: the log says that {OWN_ASCI}", told.message)
    order = out_of_order(node, told.message)
    expect(not order, f"{unwakeable}: is looked for by FQDN, NetBIOS name, IP", f"{order}: {told.message}")
    lines = [line for line in called.server_log.splitlines() if f"could not wake {node.name}:" in line]
    wanted = f"{unwakeable}: server.log has an error line about it"
    expect(any(" E Srv " in line for line in lines), wanted, "; ".join(lines[-1:]) or "none")


def test_a_forged_or_replayed_broadcast_is_refused(called: Called, heard_superagent: str) -> None:
    """a broadcast that was changed, and the real one said again, are refused and cause no call-in"""
    abuse = called.abuse[heard_superagent]
    expect(not abuse.trouble, f"{abuse.listener}: hears the broadcast of {heard_superagent}", abuse.trouble)
    words = {FORGED: "forged", REPLAYED: "replayed"}
    expect_all(
        [
            (f"{abuse.listener}: refuses a {words[line]} broadcast", f"its log has no new line with {line!r}")
            for line, refused in abuse.refused.items()
            if not refused
        ]
    )
    again = [id for id in abuse.callins if abuse.callins.count(id) > 1]
    expect(not again, f"{abuse.listener}: calls in once for one wake-up", f"{len(again)} call-ins for {again[:1]}")


def test_a_broadcast_carries_no_content(called: Called, heard_superagent: str) -> None:
    """what a SuperAgent broadcasts is how to call in: no policy, no task"""
    abuse = called.abuse[heard_superagent]
    carried = abuse.trouble or content_of(abuse.broadcast)
    expect(not carried, f"{heard_superagent}: its broadcast carries no content", f"{abuse.listener}: {carried}")


@pytest.fixture(scope="module", name="trials")
def trials_fixture(witness: Witness, topology: Topology, whole: None) -> Trials:
    """Wake-ups of an agent whose names lead nowhere, or whose port refuses everybody."""
    (path,) = wake_trials_plan.tried(topology)
    return make(witness, path)


def test_names_are_tried_in_order(topology: Topology, trials: Trials, tried: str) -> None:
    """an agent is found by its FQDN, else by its NetBIOS name, else by its IP"""
    node = topology.node(tried)
    expect_all(wrong_names(node, port_of(topology, node), trials.named))


def test_attempts_are_as_many_and_as_far_apart_as_asked(trials: Trials, tried: str) -> None:
    """a wake-up is tried again after its interval, as often as asked, and given up when its time is over"""
    expect_all(
        [
            *wrong_attempts(tried, trials.given_up),
            *wrong_abort(tried, trials.aborted),
            *wrong_opening(tried, trials.opened, trials.callins),
        ]
    )


def test_agents_of_a_swarm_call_in_at_moments_of_their_own(
    witness: Witness, topology: Topology, whole: None, swarm: str
) -> None:
    """a wake-up spreads the call-ins of agents that are called by their IP; one that nobody can call is told of"""
    node, seen = topology.node(swarm), wake_swarm(witness, swarm)
    called = bool(facts.wakers(topology, node))
    expect_all(wrong_wakeup(node, port_of(topology, node), seen) if called else wrong_calls_in_vain(node, seen))


@pytest.fixture(scope="module", name="push")
def push_fixture(witness: Witness, topology: Topology, whole: None) -> Iterator[dict[str, Pushed]]:
    """An agent pushed to the nodes that have none, one after the other; gone again afterwards."""
    found: dict[str, Pushed] = {}
    for node in witness.running(facts.pushables(topology)):
        with pushed(witness, node) as outcome:
            found[node.path] = outcome
    yield found


def test_a_pushed_agent_is_managed(topology: Topology, push: dict[str, Pushed], pushable: str) -> None:
    """a push by NetBIOS name installs the agent, which enrols, calls in and is managed"""
    outcome, node = push[pushable], topology.node(pushable)
    told = outcome.log
    expect(told.state == "Completed", f"{pushable}: the push is logged as Completed", f"{told.state}: {told.message}")
    expect(bool(outcome.row), f"{pushable}: the server knows it as {node.fqdn}", "it does not")
    expect(outcome.called_in, f"{pushable}: the pushed agent calls in", f"its row is {outcome.row}")
    state = outcome.row["EPOLeafNode.ManagedState"]
    expect(state == 1, f"{pushable}: is managed", f"its ManagedState is {state}")


def test_a_push_that_cannot_be_done_is_told(push: dict[str, Pushed], pushable: str) -> None:
    """a push to an unknown name, a full name, a host that refuses or one out of reach fails with the reason"""
    outcome = push[pushable]
    reasons = {
        "unknown": ("no system of the System Tree has the NetBIOS name",),
        "full name": ("is no NetBIOS name",),
        "refused": ("refuses the login",),
        "far": ("could not install an agent", OWN_ASCI),
    }
    expect_all(
        [
            (f"{pushable}: the push ({case}) fails: {', '.join(reasons[case])}", f"{told.state}: {told.message}")
            for case, told in outcome.failures.items()
            if told.state != "Failed" or not all(words in told.message for words in reasons[case])
        ]
    )
    wanted = f"{pushable}: server.log has an error line about the refused login"
    expect("refuses the login" in outcome.server_log, wanted, "none")
