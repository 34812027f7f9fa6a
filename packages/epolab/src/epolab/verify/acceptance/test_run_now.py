"""Promise `run-now`: a task runs at once on every agent that can be told, on the others after their next call-in."""

from __future__ import annotations

import pytest

from epolab.errors import WorldError
from epolab.model.topology import Topology
from epolab.verify import run_now, run_now_plan
from epolab.verify.broken import expect, expect_all
from epolab.verify.run_now_plan import Runs, expected_way
from epolab.verify.run_now_trials import PROPERTIES, TASK, at_hand, cut_off, exceed, forget
from epolab.verify.run_now_trials_plan import LIMIT, PROPERTY, cut_agents, wrong_end, wrong_limit, wrong_memory
from epolab.verify.swarm_orders import called, run_on_swarm, waits_seconds
from epolab.verify.swarm_orders_plan import wrong_runs
from epolab.verify.witness import Witness

DISTURBS = True
LIMIT_LINE = f"{PROPERTY}={LIMIT}"


@pytest.fixture(scope="module", name="observed")
def observed_fixture(witness: Witness, whole: None) -> dict[str, Runs]:
    """One small scan on all agents in one action."""
    return run_now.observe(witness)


def test_the_task_goes_through_its_three_segments(topology: Topology, observed: dict[str, Runs], agent: str) -> None:
    """Send, Start and Progress succeed in log and live view; an agent older than 4.6 is refused, and they fail"""
    run = observed[agent].first
    if expected_way(topology, topology.node(agent)) == "refused":
        expect_all([*run_now_plan.wrong_refusal(agent, run), *run_now_plan.wrong_view(agent, run)])
    else:
        expect_all([*run_now_plan.wrong_segments(agent, run), *run_now_plan.wrong_view(agent, run)])


def test_it_reports_under_the_correlation_id(topology: Topology, observed: dict[str, Runs], agent: str) -> None:
    """the agent reports each step once, with the AutoId of the log entry as CorrelationId"""
    if expected_way(topology, topology.node(agent)) != "refused":
        expect_all([wrong for run in observed[agent].runs for wrong in run_now_plan.wrong_reports(agent, run)])


def test_it_starts_when_it_can(topology: Topology, observed: dict[str, Runs], agent: str) -> None:
    """an agent that its handler can call starts within seconds; another one after its next call-in, not before"""
    expect_all(run_now_plan.wrong_start(agent, expected_way(topology, topology.node(agent)), observed[agent]))


def test_each_ends_at_its_own_time(witness: Witness, observed: dict[str, Runs], commander: str) -> None:
    """each subtask ends with its own agent's last report, the entry with the last of its subtasks"""
    runs = {path: seen.first for path, seen in observed.items()}
    number = next(iter(runs.values())).log_id
    (entry,) = [row for row in witness.api("tasklog.listTaskHistory", taskName=TASK) if row["id"] == number]
    subtasks = witness.api("tasklog.listSubtasks", taskLogId=str(number))
    expect_all(run_now_plan.wrong_entry(commander, entry, subtasks))
    expect_all([wrong for path, run in runs.items() for wrong in run_now_plan.wrong_pace(path, run)])


def test_it_runs_once(topology: Topology, observed: dict[str, Runs], agent: str) -> None:
    """by the agent's own log the task ran once for each action"""
    if expected_way(topology, topology.node(agent)) != "refused":
        expect_all(run_now_plan.wrong_count(agent, observed[agent].runs))


def test_the_view_cannot_be_reopened_and_the_log_keeps_everything(
    witness: Witness, observed: dict[str, Runs], commander: str
) -> None:
    """the live status view is closed for ever, the Server Task Log still has every subtask"""
    number = str(next(iter(observed.values())).first.log_id)
    expect(witness.api("miniepo.closeRunNow", taskLogId=number) is True, "the status view can be closed", "it cannot")
    try:
        told = f"it shows {witness.api('miniepo.watchRunNow', taskLogId=number)}"
    except WorldError as error:
        told = error.message
    expect("cannot be reopened" in told, f"{commander}: the view of {number} stays closed", f"{commander}: {told}")
    kept = len(witness.api("tasklog.listSubtasks", taskLogId=number))
    wanted = f"{commander}: the log has {len(observed)} subtasks of {number} after the view is closed"
    expect(kept == len(observed), wanted, f"it has {kept}")


def test_the_limit_is_the_published_one(witness: Witness, commander: str) -> None:
    """epo.properties limits an action to 999 systems"""
    text = witness.must(commander, f"cat {PROPERTIES}")
    wanted = f"{commander}: {PROPERTIES} says {LIMIT_LINE}"
    expect(LIMIT_LINE in text.splitlines(), wanted, f"it says {text.strip()!r}")


def test_one_system_too_many_is_refused(witness: Witness, observed: dict[str, Runs], commander: str) -> None:
    """an action for more systems than the limit, lowered for the check, is refused and queues nothing"""
    last = max(run.log_id for runs in observed.values() for run in runs.runs)
    expect_all(wrong_limit(commander, exceed(witness, at_hand(witness), last)))


def test_every_agent_of_a_swarm_runs_it(witness: Witness, topology: Topology, whole: None, swarm: str) -> None:
    """agents of a swarm run a task at once, each by itself and once"""
    node = topology.node(swarm)
    expect_all(wrong_runs(swarm, run_on_swarm(witness, swarm), len(called(node)), waits_seconds(topology, node)))


def test_an_agent_that_ends_leaves_an_unknown_end(witness: Witness, whole: None, cut_agent: str) -> None:
    """an agent that ends sends TASK_NO_FINAL_STATUS before, is seen live, and never begins the task again"""
    expect_all(wrong_end(cut_agent, cut_off(witness, cut_agent)))


def test_a_server_that_is_killed_forgets_what_runs(
    witness: Witness, topology: Topology, whole: None, forgetful: str
) -> None:
    """after a kill of the server the log says that its memory is lost, and the subtask stays unfinished"""
    [path] = cut_agents(topology)
    expect_all(wrong_memory(forgetful, forget(witness, path)))
