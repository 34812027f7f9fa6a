"""Waking one agent that is made hard to reach: its names lead nowhere, or its port refuses everybody for a while."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from epolab.errors import TimeoutExceededError
from epolab.hands.journal import Undo
from epolab.hands.until import seconds, until
from epolab.model import facts
from epolab.model.node import Node
from epolab.verify.agents import port_of
from epolab.verify.callins import server_time
from epolab.verify.segment_plan import NOTHING, Told, woken
from epolab.verify.wake_orders import order
from epolab.verify.wake_trials_plan import ABORT_SECONDS, ATTEMPTS, RETRY_SECONDS, Trials, Tries, attempts_in
from epolab.verify.witness import Witness

HANDLER_LOG = "/var/log/miniepo/miniepo-handler.log"
HOSTS_MARK = "# verdict"
GIVE_BACK = (
    f"sed '/{HOSTS_MARK}$/d' /etc/hosts >/root/hosts.kept && cat /root/hosts.kept >/etc/hosts; rm -f /root/hosts.kept"
)
NOWHERE = ("224.0.0.0", "ff00::")
"""No TCP connection goes to a multicast address, and who tries is told so at once; on loopback an agent may listen."""
PATIENT_MINUTES = "1"
CALLIN_LIMIT_SECONDS = 10.0


def make(witness: Witness, path: str) -> Trials:
    """All trials, one after the other; afterwards names and port are as they were."""
    node = witness.topology.node(path)
    named = tuple(_lost(witness, node, lost) for lost in ((), (node.fqdn,), (node.fqdn, node.name)))
    with closed(witness, node):
        given_up = _tries(witness, node, ATTEMPTS, RETRY_SECONDS, PATIENT_MINUTES)
        aborted = _tries(witness, node, 99, 1.0, f"{ABORT_SECONDS / 60:.6f}")
    since = server_time(witness)
    opened = _opened(witness, node)
    return Trials(named, given_up, aborted, opened, _callins(witness, node, opened.told, since))


def _lost(witness: Witness, node: Node, lost: Sequence[str]) -> Told:
    """Wake an agent while these names of it lead nowhere at all handlers."""
    with led_astray(witness, node, lost):
        return order(witness, [node.fqdn], {})[1].get(node.fqdn, NOTHING)


@contextmanager
def led_astray(witness: Witness, node: Node, lost: Sequence[str]) -> Iterator[None]:
    """At all handlers these names of a node lead nowhere, and its short name everywhere to it otherwise."""
    lines = [f"{address} {name} {HOSTS_MARK}" for name in lost for address in NOWHERE]
    if lost and node.name not in lost:
        lines += [f"{address} {node.name} {HOSTS_MARK}" for address in (node.ipv4, node.ipv6)]
    paths = [handler.path for handler in facts.handlers(witness.topology)]
    undos = [Undo(path, GIVE_BACK, f"names of {node.path}", keepers=(path,)) for path in paths]
    text = "".join(f"{line}\\n" for line in lines)
    with witness.journal.undone_by(*undos):
        for path in paths if lines else ():
            witness.must(path, f"{GIVE_BACK}; h=$(cat /etc/hosts); (printf '{text}'; echo \"$h\") >/etc/hosts")
        yield


@contextmanager
def closed(witness: Witness, node: Node) -> Iterator[None]:
    """An agent's port refuses everybody."""
    rule = (
        f"INPUT -p tcp --dport {port_of(witness.topology, node)} -m comment --comment verdict"
        " -j REJECT --reject-with tcp-reset"
    )
    tools = ("iptables", "ip6tables")
    undo = "; ".join(f"while {tool} -w -D {rule} 2>/dev/null; do :; done" for tool in tools)
    put = " && ".join(f"{tool} -w -I {rule}" for tool in tools)
    with witness.journal.undone_by(Undo(node.path, f"{undo}; true", "closed port")):
        witness.must(node.path, put)
        yield


def _tries(witness: Witness, node: Node, attempts: int, retry_seconds: float, minutes: str) -> Tries:
    words = {"attempts": str(attempts), "retryIntervalSeconds": f"{retry_seconds:g}", "abortAfterMinutes": minutes}
    began = seconds()
    _, log = order(witness, [node.fqdn], words)
    told = log.get(node.fqdn, NOTHING)
    return Tries(told, seconds() - began, _attempts(witness, f" wakeup {told.wakeup_id}: "))


def _opened(witness: Witness, node: Node) -> Tries:
    """Wake an agent whose port is closed at first, and opened after the first attempt."""
    words = f" could not wake {node.name}: "
    before = len(_attempts(witness, words))

    def one_more() -> bool:
        return len(_attempts(witness, words)) > before

    with ThreadPoolExecutor(1) as pool:
        with closed(witness, node), suppress(TimeoutExceededError):  # who never tried is told
            ordered = pool.submit(_tries, witness, node, 20, 1.0, PATIENT_MINUTES)
            until(one_more, what="a first attempt", limit_seconds=CALLIN_LIMIT_SECONDS, pause_seconds=0.2)
        return ordered.result()


def _attempts(witness: Witness, words: str) -> tuple[float, ...]:
    """When handlers tried, by their logs' lines with these words; on connections of their own, an order may wait."""
    command = f"grep -h -- '{words}' {HANDLER_LOG}"
    logs = [witness.run(handler.path, command, "tries").stdout for handler in facts.handlers(witness.topology)]
    return tuple(sorted(moment for log in logs for moment in attempts_in(log)))


def _callins(witness: Witness, node: Node, told: Told, since: float) -> int:
    """How often an agent called in after a wake-up."""
    seen: list[str] = []

    def called() -> bool:
        seen[:] = woken(witness.api("miniepo.listCallins", since=str(since)), node.fqdn)
        return told.wakeup_id in seen

    with suppress(TimeoutExceededError):  # none is told as such
        until(called, what=f"{node.path} calls in", limit_seconds=CALLIN_LIMIT_SECONDS, pause_seconds=0.3)
    return seen.count(told.wakeup_id)
