"""Kill -9 in the middle of everything: no event is lost or doubled, no task runs twice, queues drain."""

import json
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from epolab.errors import WorldError
from epolab.model import facts
from epolab.verify.run_now_plan import expected_way
from epolab.verify.web_api import Upload
from tests.acceptance.broken_promises import on
from tests.acceptance.lab import until
from tests.acceptance.turmoil import Killer, Sender, WebApi, rows_of
from tests.acceptance.verdicts import Examined

pytestmark = pytest.mark.acceptance
SEED = 20_261_122
EVENTS = 10_000
IN_ONE_ORDER = 100
SENDERS = ("hq/hq-pc", "tokyo/tokyo-pc", "lyon/lyon-laptop", "india/india-pc")
VICTIMS = (
    ("hq/epo", "miniepo-server"),
    ("hq/epo", "miniepo-handler"),
    ("dmz/ah-1", "miniepo-handler"),
    ("dmz/ah-2", "miniepo-handler"),
    ("hq/sql", "postgresql"),
    ("india/india-relay-1", "cmamesh"),
    ("india/india-relay-2", "cmamesh"),
    *((node, "cmdagent") for node in SENDERS),
)
LEAST_KILLS_OF_EACH = 2
LEAST_RUNS = 3
ORDERS_EVERY_SECONDS = 4.0
DRAINED_WITHIN_SECONDS = 240.0
OPEN_WORK = (
    "SELECT (SELECT count(*) FROM EPOAgentHandlerDatachannelWQ WHERE Finished IS NULL),"
    " (SELECT count(*) FROM EPOAgentHandlerWQ WHERE Finished IS NULL)"
)
OPEN_RUNS = "SELECT count(*) FROM OrionTaskLogTask WHERE Name = 'Run Client Task Now' AND EndDate IS NULL"
EVENT_ROWS = "SELECT count(*), count(DISTINCT (AgentGUID, EventKey)) FROM EPOEvents WHERE EventText = 'turmoil'"
SCAN = [{"name": "Turmoil scan", "type": "scan", "settings": {"folder": "/etc/miniepo", "seconds": 1}}]


class Orderer:
    """Gives agents a new policy and a task to run now, again and again, whoever is down."""

    def __init__(self, examined: Examined) -> None:
        topology = examined.topology
        self._api = WebApi(examined.lab, facts.server(topology).path)
        self._names = ",".join(topology.node(node).fqdn for node in SENDERS)
        uploaded = Upload("importFileName", "tasks.json", json.dumps(SCAN).encode())
        self._task = str(self._api.ask("clienttask.importClientTask", uploaded)[0]["objectId"])
        self._stop = threading.Event()
        self.runs = self.refused = self.policies = 0

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """It orders while the block runs."""
        thread = threading.Thread(target=self._work)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _work(self) -> None:
        while not self._stop.wait(ORDERS_EVERY_SECONDS):
            self.change_policy()
            self._run_now()

    def change_policy(self) -> None:
        """One more policy for the senders; only the last one counts."""
        settings = {"asciSeconds": 5, "enforcementSeconds": 100 + self.policies}
        policy = [{"name": "Turmoil", "category": "agent", "settings": settings}]
        rows = self._api.ask("policy.importPolicy", Upload("file", "p.json", json.dumps(policy).encode()))
        words = {"productId": "EPOAGENTMETA", "typeId": "1", "objectId": str(rows[0]["objectId"])}
        self._api.ask("policy.assignToSystem", names=self._names, **words)
        self.policies += 1

    def _run_now(self) -> None:
        try:
            words = {"productId": "EPOAGENTMETA", "taskId": self._task, "abortAfterMinutes": "2"}
            self._api.ask_once("clienttask.run", names=self._names, **words)
            self.runs += 1
        except (WorldError, json.JSONDecodeError):
            self.refused += 1

    @property
    def last_enforcement_seconds(self) -> int:
        """The value by which the last policy is known."""
        return 100 + self.policies - 1

    def clean_up(self) -> None:
        """Take policy and task away."""
        number = next(row["objectId"] for row in self._api.ask("policy.find") if row["objectName"] == "Turmoil")
        self._api.ask("miniepo.deletePolicy", objectId=str(number))


def ran_of(examined: Examined, node: str) -> Counter[str]:
    """How often each request to run the scan now was started on a node, by the agent's own log."""
    log = on(examined.lab, node, "cat /var/log/miniepo/cmdagent.log")
    return Counter(re.findall(r"run (\d+): started", log))


@pytest.fixture(name="orderer")
def orderer_fixture(conversations: Examined) -> Iterator[Orderer]:
    orderer = Orderer(conversations)
    yield orderer
    orderer.clean_up()


def test_nothing_is_lost_or_doubled_whoever_is_killed(
    conversations: Examined, orderer: Orderer, capsys: pytest.CaptureFixture[str]
) -> None:
    lab, sql = conversations.lab, facts.sql(conversations.topology).path
    killer = Killer(lab, VICTIMS, SEED)
    # the last events are sent at the last of these kills: all of them fall between the first event and the last
    due = lambda given: killer.kills.total() >= given * len(VICTIMS) * LEAST_KILLS_OF_EACH  # noqa: E731
    senders = [Sender(lab, node, EVENTS // len(SENDERS), IN_ONE_ORDER, due) for node in SENDERS]
    began = time.monotonic()
    with killer.at_work(), orderer.at_work():
        sending = [threading.Thread(target=sender.send) for sender in senders]
        for thread in sending:
            thread.start()
        for thread in sending:
            thread.join()
        enough = lambda: len(killer.kills) == len(VICTIMS) and min(killer.kills.values()) >= LEAST_KILLS_OF_EACH  # noqa: E731
        assert until(enough, 180), killer.kills
    killed_for = time.monotonic() - began
    orderer.change_policy()
    assert until(lambda: rows_of(lab, sql, EVENT_ROWS) == [[str(EVENTS)] * 2], DRAINED_WITHIN_SECONDS), (
        f"of {EVENTS} events: rows, distinct {rows_of(lab, sql, EVENT_ROWS)}"
    )
    arrived_after = time.monotonic() - began - killed_for
    assert until(lambda: rows_of(lab, sql, OPEN_WORK) == [["0", "0"]], DRAINED_WITHIN_SECONDS), (
        f"open work in the data channel's queue and in the handlers' {rows_of(lab, sql, OPEN_WORK)}"
    )
    assert until(lambda: rows_of(lab, sql, OPEN_RUNS) == [["0"]], DRAINED_WITHIN_SECONDS), (
        f"run-now actions that nobody ended: {rows_of(lab, sql, OPEN_RUNS)}"
    )
    ran = {node: ran_of(conversations, node) for node in SENDERS}
    twice = {node: [key for key, times in counted.items() if times > 1] for node, counted in ran.items()}
    assert not any(twice.values()), f"run more than once: {twice}"
    started = sum(len(counted) for counted in ran.values())
    assert orderer.runs >= LEAST_RUNS, f"{orderer.runs} run-now actions taken, {orderer.refused} not"
    topology, idle = conversations.topology, {node for node in SENDERS if not ran[node]}
    too_old = {node for node in SENDERS if expected_way(topology, topology.node(node)) == "refused"}
    assert idle == too_old, f"agents that ran no task at all: {idle}; those that are too old for one: {too_old}"
    enforced = f"grep -q 'enforcementSeconds.*{orderer.last_enforcement_seconds}' /var/lib/miniepo/agent/policies.json"
    for node in SENDERS:
        assert until(lambda node=node: on(lab, node, f"{enforced} && echo yes || true") == "yes\n", 60), (
            f"{node}: the last of {orderer.policies} policies is not there"
        )
    conversations.assert_positive("-k", "port-8081 or relay")
    with capsys.disabled():
        sys.stdout.write(
            f"\n{EVENTS} events by {len(SENDERS)} agents, {killer.kills.total()} kills in {killed_for:.0f} s"
            f" ({dict(sorted(killer.kills.items()))}), {sum(each.repeated for each in senders)} orders repeated:"
            f" {EVENTS} rows, all distinct, {arrived_after:.0f} s after the last kill; {orderer.runs} run-now actions"
            f" taken and {orderer.refused} not, {started} tasks started, none twice; {orderer.policies} policies;"
            " queues empty\n"
        )
