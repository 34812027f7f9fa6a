"""Handlers that let in whom they should not, or too many; agents that take it wrongly; rules that nobody declared."""

import json
from typing import Any

import pytest

from epolab.model import facts
from epolab.verify.doors import CONNECTIONS, SPARED
from epolab.verify.drawing import RULE, given, movable
from epolab.verify.preferred import shared
from epolab.verify.web_api import body_of, shell_text
from epolab.verify.without_server import askers
from tests.acceptance.broken_promises import configured, on, patched, trigger, undone
from tests.acceptance.lab import until
from tests.acceptance.verdicts import Examined, assert_told, nodes_of, told

pytestmark = [pytest.mark.acceptance, pytest.mark.beside]
HANDLER, AGENT = "dmz/ah-2", "hq/hq-pc"
ANSWERS = "nc -z 127.0.0.1 443"
IS_THERE = "test -S /var/lib/miniepo/agent/control.sock"
PATIENCE_SECONDS = 120.0
SERVICE, SWARM = "miniepo-handler", ("miniepo-swarm", 8081)
LIMITS, RETRIES = "refuses_one_connection_too_many", "refused_crowd"
NO_RETRY = ("protocol/handler_choice.py", "if len(self._full) >= ROUNDS * max(1, len(self._handlers)):", "if True:")
NO_PAUSE = ("protocol/handler_choice.py", "pause = self._pause(turned, event.retry_after_seconds)", "pause = 0.0")
SITES = "cat /var/lib/miniepo/agent/SiteList.xml"


def test_a_handler_that_takes_anybody_is_seen(conversations: Examined) -> None:
    values = {"verify_clients": False, "packages_on_http": True}
    with configured(conversations.lab, HANDLER, "handler", SERVICE, ANSWERS, **values):
        rows = conversations.failures("handlers", kept=["isolation"])
        assert nodes_of(rows) == {HANDLER}, told(rows)
        assert_told(rows, HANDLER, "its TLS port refuses who shows no certificate", "answered")
        assert_told(rows, HANDLER, "its TLS port refuses a certificate of another lab", "answered")
        assert_told(rows, HANDLER, "takes no envelope without TLS", "answered 400")


def test_a_limit_of_one_more_and_one_that_is_too_low_are_seen(conversations: Examined) -> None:
    lab, low, high = conversations, "dmz/ah-1", HANDLER
    with (
        configured(lab.lab, low, "handler", SERVICE, ANSWERS, max_connections=CONNECTIONS - SPARED - 1),
        configured(lab.lab, high, "handler", SERVICE, ANSWERS, max_connections=CONNECTIONS + 1),
    ):
        rows = lab.failed_checks(LIMITS)
    assert nodes_of(rows) == {low, high}, told(rows)
    assert_told(rows, low, "serves 245 connections at once, or up to 5 less", "and refused the next")
    assert_told(rows, high, "refuses one connection above 245 with 503", "answered 200")


def test_agents_that_do_not_try_again_after_a_refusal_are_seen(conversations: Examined) -> None:
    lab, swarm = conversations, facts.swarms(conversations.topology)[0].path
    with patched(lab.lab, swarm, *SWARM, [NO_RETRY]):
        rows = lab.failed_checks(RETRIES)
    assert nodes_of(rows) == {swarm}, told(rows)
    assert_told(rows, swarm, "each of its agents calls in although hq/epo is full", "more did not")


def test_agents_that_come_back_at_once_after_a_refusal_are_seen(conversations: Examined) -> None:
    lab, swarm = conversations, facts.swarms(conversations.topology)[0].path
    with patched(lab.lab, swarm, *SWARM, [NO_PAUSE]):
        rows = lab.failed_checks(RETRIES)
    assert nodes_of(rows) == {swarm}, told(rows)
    assert_told(rows, swarm, "not all at once", "came within ")
    positive = lab.assert_positive("-k", f"{LIMITS} or {RETRIES}")
    assert {row["promise"] for row in positive} == {"handlers"}


def test_an_agent_that_draws_once_for_all_is_seen(conversations: Examined) -> None:
    with configured(conversations.lab, AGENT, "agent", "cmdagent", IS_THERE, draw_handlers_once=True):
        rows = conversations.failures("handlers", kept=["isolation"])
        assert nodes_of(rows) == {AGENT}, told(rows)
        assert_told(rows, AGENT, "draws among", "in 14 call-ins it used")


def api(lab: Examined, command: str, **arguments: str) -> Any:
    """The Web API, asked on the server's own node."""
    return body_of(command, on(lab.lab, facts.server(lab.topology).path, shell_text(command, arguments)))


def test_a_rule_that_nobody_declared_is_seen(conversations: Examined) -> None:
    """Priority decides: a rule for the subnet of one agent, put before the declared ones, sends it elsewhere."""
    lab, node = conversations, conversations.topology.node("tokyo/tokyo-pc")
    server = facts.server(lab.topology).path
    declared = [given(row) for row in api(lab, "miniepo.listHandlerRules")]
    stray = {"name": "Nobody's rule", "subnets": [f"{node.ipv4}/32"], "use": ["dmz/ah-2"]}
    back = shell_text("miniepo.setHandlerRules", {"rules": json.dumps(declared)})
    with undone(lab.lab, server, back):
        api(lab, "miniepo.setHandlerRules", rules=json.dumps([stray, *declared]))
        assert until(lambda: "ah-2" in on(lab.lab, node.path, SITES), PATIENCE_SECONDS)
        rows = lab.failures("handlers", kept=["isolation"])
        assert nodes_of(rows) == {node.path}, told(rows)
        assert_told(rows, node.path, "SiteList.xml names the handlers ah-1.dmz.test, then epo.hq.test", "ah-2.dmz.test")
    assert until(lambda: "ah-1" in on(lab.lab, node.path, SITES), PATIENCE_SECONDS)


# a call-in counts as one to the handler that the agent's newest rule names, whichever list it went by
AT_ONCE = f"""NEW.HandlerID := COALESCE((SELECT h.AutoID FROM EPOHandlerAssignmentRule r
    JOIN EPOAgentHandlers h ON h.HandlerName = r.HandlerNames[1]
    JOIN EPOComputerProperties c ON c.ParentID = NEW.LeafNodeID
    WHERE r.RuleName LIKE '{RULE} for %/' || lower(c.ComputerName)), NEW.HandlerID)"""
CALLS, MOVES, TIMES = "AgentCallin", "test_a_new_rule_counts", 4


def test_a_rule_that_counts_at_the_call_in_that_brings_it_is_seen(conversations: Examined) -> None:
    """Of an agent that happens to call in while the rules are made nothing can be said, so it may take several times.

    Who draws among all handlers may go where its new rule says anyhow.
    """
    lab, agents = conversations, {node.path for node in movable(conversations.topology)} - {AGENT}
    with trigger(lab.lab, CALLS, f"{AT_ONCE}; RETURN NEW;"):
        rows = next(failed for _ in range(TIMES) if (failed := lab.verdict("-k", MOVES)[1]))
    assert nodes_of(rows) <= agents, told(rows)
    for row in rows:
        assert "the call-in that brings a new rule's list still goes to" in row["expected"], told(rows)
        assert "it went to " in row["observed"], told(rows)


# what somebody would do who had all work done by one handler, or by nobody in its place, or no tasks at all
ONE_FOR_ALL = "SELECT AutoID INTO NEW.PreferredHandlerID FROM EPOAgentHandlers WHERE HandlerName = 'dmz/ah-1'"
NO_DEPUTY = "NEW.Options := NEW.Options || jsonb_build_object('held', 'only')"
WORK, TASKS = "EPOAgentHandlerWQ", "EPOTaskAssignments"


def test_work_that_another_handler_does_than_the_last_is_seen(conversations: Examined) -> None:
    lab = conversations
    with trigger(lab.lab, WORK, f"{ONE_FOR_ALL}; RETURN NEW;"):
        rows = lab.failures("handlers", kept=["isolation"])
        assert {"india/india-relay-1", "india/india-relay-2"} <= nodes_of(rows), told(rows)
        assert nodes_of(rows) <= {"india/india-relay-1", "india/india-relay-2", AGENT}, told(rows)
        for row in rows:
            assert "which it talked to last" in row["expected"] and "dmz/ah-1 woke" in row["observed"], told(rows)


def test_work_that_nobody_does_while_the_last_handler_is_away_is_seen(conversations: Examined) -> None:
    """All but those who have called in to another handler by themselves before their wake-up is planned."""
    lab, several = conversations, {node.path for node in shared(conversations.topology)}
    with trigger(lab.lab, WORK, f"{NO_DEPUTY}; RETURN NEW;"):
        rows = lab.failures("handlers", kept=["isolation"])
        assert nodes_of(rows) <= several, told(rows)
        for row in rows:
            assert "as any handler may" in row["expected"], told(rows)
            assert "no handler asked for it in time" in row["observed"], told(rows)


def test_tasks_that_do_not_come_without_the_server_process_are_seen(conversations: Examined) -> None:
    lab, asked = conversations, askers(conversations.topology)
    with trigger(lab.lab, TASKS, "RETURN NULL;"):
        rows = lab.failures("handlers", kept=["isolation"])
        assert nodes_of(rows) == set(asked), told(rows)
        for handler, agent in asked.items():
            assert_told(rows, handler, f"delivers a new client task to {agent.path}", "it has run none")
