"""Run Client Task Now in hard times: more systems than the limit, an agent that ends, a server that is killed."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from epolab.errors import TimeoutExceededError, WorldError
from epolab.hands.journal import Undo
from epolab.hands.until import until
from epolab.model import facts
from epolab.model.node import Node
from epolab.verify.agents import port_of
from epolab.verify.datachannel import ask_sql
from epolab.verify.policy_change import names_of
from epolab.verify.run_now import AGENT_LOG, FOLDER, reports_of
from epolab.verify.run_now_trials_plan import PROPERTY, CutOff, Forgotten, Refusal, Shown
from epolab.verify.seclusion import CALL_IN, obey
from epolab.verify.services import stopped
from epolab.verify.witness import Witness

PROPERTIES = "/var/lib/miniepo/server/conf/epo/epo.properties"
NEWEST = "select coalesce(max(AutoID), 0) from epoagenthandlerdatachannelwq"
QUEUED = "select count(*) from epoagenthandlerdatachannelwq where AutoID > {newest}"
TASK = "Run Client Task Now"
OPEN = ("Waiting", "In Progress")
AGENT, SERVER = "cmdagent", "miniepo-server"
KILL = f"kill -KILL $(cat /etc/service/{SERVER}/supervise/pid)"
SCAN_MINUTES = "10"
"""Longer than the trial, a slow restart of the server included: the agent's end cuts it off."""
WATCH_SECONDS = "10"
START_LIMIT_SECONDS = 20.0
END_LIMIT_SECONDS = 5.0
SERVER_LIMIT_SECONDS = 60.0


def exceed(witness: Witness, nodes: Sequence[Node], last: int) -> Refusal:
    """Order a task for one system more than the limit, which is lowered for that; `last` is the newest entry so far."""
    (newest,) = ask_sql(witness, NEWEST)
    with limited(witness, len(nodes) - 1):
        try:
            reply = str(witness.api("miniepo.scanNow", names=names_of(nodes), folder=FOLDER))
        except WorldError as error:
            reply = str(error)
    rows = witness.api("tasklog.listTaskHistory", taskName=TASK, maxRows="5")
    (queued,) = ask_sql(witness, QUEUED.format(newest=newest))
    return Refusal(len(nodes), reply, sum(int(row["id"]) > last for row in rows), int(queued))


@contextmanager
def limited(witness: Witness, systems: int) -> Iterator[None]:
    """The server lets an action have so many systems; afterwards as many as before, whether that was right or not."""
    server = witness.server.path
    declared = base64.b64encode(witness.must(server, f"cat {PROPERTIES}").encode()).decode()
    undo = Undo(server, f"echo {declared} | base64 -d >{PROPERTIES}", PROPERTY, keepers=(server,))
    with witness.journal.undone_by(undo):
        witness.must(server, f"sed -i 's/^{PROPERTY}=.*/{PROPERTY}={systems}/' {PROPERTIES}")
        yield


def cut_off(witness: Witness, path: str) -> CutOff:
    """End an agent in the middle of a task, look at the task while it is down, and let it go on."""
    number = _started(witness, path)
    running = _shown(witness, number)
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(_watch, witness, number, running)
        with _down(witness, path):
            row = _closed(witness, number)
            ended = _in_time(watching)
    obey(witness, path, CALL_IN)
    answers = witness.api("miniepo.listChannelAnswers", correlation=number)
    reports = tuple(each.status for each in reports_of(answers, row["agentGuid"]))
    starts = _starts(witness, path, number)
    return CutOff(int(number), row, _messages(witness, number), reports, starts, running, ended)


def _watch(witness: Witness, number: str, seen: Shown) -> Shown:
    """Watch the live view, each time for what is newer, until it shows an end or for a while; what it showed last."""
    last = [seen]

    def over() -> bool:
        last[0] = _shown(witness, number, revision=str(last[0].revision), waitSeconds=WATCH_SECONDS)
        return last[0].segments[0] not in OPEN

    with suppress(TimeoutExceededError):  # what shows no end is told
        until(over, what=f"the live view of {number} shows an end", limit_seconds=START_LIMIT_SECONDS)
    return last[0]


def _in_time(watching: Future[Shown]) -> Shown | None:
    with suppress(TimeoutError):
        return watching.result(END_LIMIT_SECONDS)
    return None


def _shown(witness: Witness, number: str, **more: str) -> Shown:
    view = witness.api("miniepo.watchRunNow", taskLogId=number, **more)
    (row,) = view["subtasks"]
    return Shown(int(view["revision"]), (row["state"], row["send"], row["start"], row["progress"]))


def forget(witness: Witness, path: str) -> Forgotten:
    """Kill the server in the middle of an agent's task, look at the log when it is back, then end the agent."""
    number, server = _started(witness, path), witness.server.path
    witness.must(server, KILL)

    def said() -> tuple[str, ...] | None:
        with suppress(WorldError):  # the server is on its way
            return _messages(witness, number)
        return None

    # before it answers, it has said what it has to say of what it left
    lines = until(said, what="the server is back", limit_seconds=SERVER_LIMIT_SECONDS, pause_seconds=0.3)
    left, views = _subtask(witness, number), witness.api("miniepo.listRunNow")
    (entry,) = [row for row in witness.api("tasklog.listTaskHistory", taskName=TASK) if str(row["id"]) == number]
    with _down(witness, path):
        row = _closed(witness, number)
    watched = any(str(view["taskLogId"]) == number for view in views)
    return Forgotten(int(number), lines, str(entry["state"]), left, watched, row, _messages(witness, number))


def _started(witness: Witness, path: str) -> str:
    """Run a long scan now on an agent; its entry's number, once the agent has said that it began."""
    node = witness.topology.node(path)
    reply = witness.api("miniepo.scanNow", names=node.fqdn, folder=FOLDER, minutes=SCAN_MINUTES)
    number = str(reply["taskLogId"])
    until(
        lambda: _subtask(witness, number)["start"] == "Success",
        what=f"{path} begins what it is to run now",
        limit_seconds=START_LIMIT_SECONDS,
        pause_seconds=0.2,
    )
    return number


@contextmanager
def _down(witness: Witness, path: str) -> Iterator[None]:
    port = port_of(witness.topology, witness.topology.node(path))
    with stopped(witness, {path: port}, AGENT):
        yield


def _closed(witness: Witness, number: str) -> Mapping[str, Any]:
    """The subtask as soon as it is closed, or when it is not in time."""
    with suppress(TimeoutExceededError):  # one that is open is told
        until(
            lambda: bool(_subtask(witness, number)["endDate"]),
            what=f"subtask of {number} is closed",
            limit_seconds=END_LIMIT_SECONDS,
            pause_seconds=0.2,
        )
    return _subtask(witness, number)


def _subtask(witness: Witness, number: str) -> Mapping[str, Any]:
    """The one subtask of an action."""
    (row,) = witness.api("tasklog.listSubtasks", taskLogId=number)
    found: Mapping[str, Any] = row
    return found


def _messages(witness: Witness, number: str) -> tuple[str, ...]:
    return tuple(str(row["message"]) for row in witness.api("tasklog.listMessages", taskLogId=number))


def _starts(witness: Witness, path: str, number: str) -> int:
    """How often the agent began the task, by its own log."""
    return int(witness.run(path, f"grep -c 'run {number}: started' {AGENT_LOG}").stdout.strip() or 0)


def at_hand(witness: Witness) -> list[Node]:
    """The agents that an action may name."""
    return witness.running(facts.agents(witness.topology))
