"""What keeps a task from running, or from being told of, is seen: exactly `run-now` fails, there, and says why."""

from contextlib import ExitStack

import pytest

from epolab.model import facts
from epolab.verify.nat_rules import masked
from epolab.verify.run_now_trials_plan import cut_agents
from tests.acceptance.broken_promises import on, patched, undone
from tests.acceptance.verdicts import Examined, assert_told, nodes_of, told

pytestmark = pytest.mark.acceptance
NODE = "tokyo/tokyo-sa"
LEDGER = "/var/lib/miniepo/agent/run-now.json"
TAKE_AWAY = f"if test -e {LEDGER}; then mv {LEDGER} {LEDGER}.kept; fi; mkdir {LEDGER}"
RARELY = "schedule.called(began, occasion.reason, 600.0)"
NO_LIMIT = (
    "server/run_now_limit.py",
    "if len(value) <= _MAX_DIGITS and value.isascii() and value.isdigit():",
    "if False:",
)
SILENT = ("server/run_now.py", "add(left.log_id, text)", "add(left.log_id, 'started')")
NO_GOODBYE = ("agent/run_now.py", "return self.happened(ledger.Leaves()) > 0", "return False")
NO_REPORT = ("agent/run_now_ledger.py", "if event.id in self._entries:", "if True:")
NO_NEWS = ("server/run_now_action.py", "self.revision += 1", "self.revision += 0")
OVER = "outcome(each.segments.state for each in self.follows.values()"
HASTY = (
    "server/run_now_action.py",
    f"return None if self._open else {OVER})",
    f"return None if self._open == len(self.follows) else {OVER} if each.segments.closed)",
)
# an agent that looks all the time, without a call-in; it calls in when it is told to
LOOKS_BY_ITSELF = (
    ("agent/datachannel.py", "await self._wanted.wait()", "await asyncio.sleep(0.3); self._look = True"),
    ("agent/caller.py", "schedule.called(began, occasion.reason, self._enforcer.settings.asci_seconds)", RARELY),
)
HEARS_NOTHING = ("agent/datachannel_door.py", "        self._told()\n", "")
RUN = "ended = await self._runner.run_watched(request.task, run_id, _Run(self, id), request.stop_seconds)"
RUNS_TWICE = ("agent/run_now.py", RUN, f"{RUN}\n            {RUN}")
OTHER_NUMBER = ("agent/run_now.py", "correlation=correlation,", "correlation=f'{correlation}00',")
ANY_VERSION = ("protocol/version.py", "run_now=number >= (4, 6),", "run_now=True,")
REOPENS = ("server/run_now.py", "if action is None or not action.view_open:", "if action is None:")
GIVE_BACK = f"rmdir {LEDGER}; if test -e {LEDGER}.kept; then mv {LEDGER}.kept {LEDGER}; fi"


def test_an_agent_that_cannot_keep_a_request_runs_nothing_and_is_named(conversations: Examined) -> None:
    """A folder stands where the agent keeps its requests: it takes the message, runs nothing, and the log says why."""
    with undone(conversations.lab, NODE, GIVE_BACK):
        on(conversations.lab, NODE, TAKE_AWAY)
        rows = conversations.failures("run-now", kept=["isolation"])
    assert nodes_of(rows) == {NODE}
    assert_told(rows, NODE, "Send, Start and Progress", "run-now.json: Is a directory")
    assert_told(rows, NODE, "its log tells of one run", "it tells of 0")
    assert {row["promise"] for row in conversations.assert_positive("-k", "run-now")} == {"run-now"}


def test_a_server_without_limit_or_word_and_an_agent_without_goodbye_are_seen(conversations: Examined) -> None:
    lab, server = conversations, facts.server(conversations.topology).path
    (ended,) = cut_agents(lab.topology)
    with (
        patched(lab.lab, server, "miniepo-server", 8443, [NO_LIMIT, SILENT]),
        patched(lab.lab, ended, "cmdagent", 8081, [NO_GOODBYE]),
    ):
        rows = lab.failures("run-now", kept=["isolation"])
    assert nodes_of(rows) == {server, ended}, told(rows)
    assert_told(rows, server, "systems in one action are refused", "the log has 1 entries of it")
    assert_told(rows, server, "its memory is lost, and is Ended", "started")
    assert_told(rows, ended, "is closed as Ended, unknown, before the agent has ended", "it is In Progress")
    assert {row["promise"] for row in lab.assert_positive("-k", "run-now")} == {"run-now"}


def test_tasks_that_run_too_early_too_late_twice_under_another_number_or_on_old_agents_are_seen(
    conversations: Examined,
) -> None:
    lab, server = conversations, facts.server(conversations.topology).path
    early, misnamed = (node.path for node in masked(lab.topology)[:2])
    old, late, twice = "hq/hq-pc", NODE, "tokyo/tokyo-pc"
    changes = {early: LOOKS_BY_ITSELF, misnamed: [OTHER_NUMBER], late: [HEARS_NOTHING], twice: [RUNS_TWICE]}
    with ExitStack() as stack:
        stack.enter_context(patched(lab.lab, server, "miniepo-server", 8443, [ANY_VERSION, REOPENS]))
        for path, change in changes.items():
            stack.enter_context(patched(lab.lab, path, "cmdagent", 8081, change))
        rows = lab.failures("run-now", kept=["isolation"])
    assert nodes_of(rows) == {server, old, *changes}, told(rows)
    assert_told(rows, early, "starts after its next call-in and not before", "it started without a call-in")
    assert_told(rows, late, "starts within 5 s, without a call-in", "it started after")
    assert_told(rows, twice, "its log tells of one run", "it tells of 2")
    assert_told(rows, misnamed, "under CorrelationId", "it reported nothing")
    assert_told(rows, old, "is refused in its subtask as older than 4.6", "Completed/Success/Success/Success; sent")
    assert_told(rows, server, "stays closed", "it shows")


def test_a_server_that_waits_for_nobody_or_shows_nothing_new_and_a_swarm_that_keeps_no_request_are_seen(
    conversations: Examined,
) -> None:
    """The server closes an entry with its first subtask, and its live view is always of the same revision."""
    lab, swarm = conversations, facts.swarms(conversations.topology)[0].path
    server, (ended,) = facts.server(lab.topology).path, cut_agents(lab.topology)
    with (
        patched(lab.lab, server, "miniepo-server", 8443, [NO_NEWS, HASTY]),
        patched(lab.lab, swarm, "miniepo-swarm", 8081, [NO_REPORT]),
    ):
        rows = lab.failures("run-now", kept=["isolation"])
    assert nodes_of(rows) == {server, swarm, ended}, told(rows)
    assert_told(rows, server, "is In Progress until the last of its", "it is Failed, ")
    assert_told(rows, ended, "at once, as a newer revision", "Ended/Success/Success/Progress, revision 0 after 0")
    assert_told(rows, swarm, "Send, Start and Progress of each agent succeed", "and 17 more")
    assert {row["promise"] for row in lab.assert_positive("-k", "run-now")} == {"run-now"}
