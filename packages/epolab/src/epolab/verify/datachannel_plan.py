"""How a message on the DataChannel should get to an agent and back, and what is wrong about one that went (pure)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.ways import in_words, ways

SINCE = (4, 5)
SESSION_SECONDS = 1.0
"""How long a call-in lasts: only at its end the agent looks whether anything waits for it."""
SLOW_SESSION_SECONDS = 4.0
"""How long it may last on a machine that has no time."""
AT_ONCE_SECONDS = 5.0

Way = Literal["at once", "after a call-in", "either", "none"]


@dataclass(frozen=True, slots=True)
class Answer:
    """An agent's answer: which handler passed it on, when the server had it (its clock), and what it says."""

    handler: str
    received: float
    text: str


@dataclass(frozen=True, slots=True)
class Round:
    """One message to one agent: sent at a time of the server's clock, and what came of it.

    `outcome` is the queue's word (`delivered`, `failed`, `expired`), None while the item is open; `callins` are the
    moments at which the agent called in from then on.
    """

    sent: float
    text: str
    outcome: str | None = None
    message: str = ""
    answers: tuple[Answer, ...] = ()
    callins: tuple[float, ...] = ()

    @property
    def at_once(self) -> bool:
        """Whether the answer came as soon as it must where the handler can tell the agent."""
        return bool(self.answers) and self.answers[0].received - self.sent <= AT_ONCE_SECONDS

    def may_be_brought(self, session_seconds: float) -> bool:
        """Whether a call-in may have brought the message: one under way, or between it and the answer."""
        end = self.answers[0].received if self.answers else float("inf")
        return any(self.sent - session_seconds <= moment <= end for moment in self.callins)


@dataclass(slots=True)
class Rounds:
    """All messages to one agent, the first one and those that were needed to be sure."""

    rounds: list[Round] = field(default_factory=list)

    @property
    def clear(self) -> bool:
        """Whether one of them was answered at once, without any call-in that could have brought it."""
        return any(each.at_once and not each.may_be_brought(SESSION_SECONDS) for each in self.rounds)

    @property
    def early(self) -> bool:
        """Whether one of them was answered although nobody called in, however slow the machine is."""
        return any(each.answers and not each.may_be_brought(SLOW_SESSION_SECONDS) for each in self.rounds)


def expected_way(topology: Topology, node: Node) -> Way:
    """When a message should arrive: it depends on who can open a connection to the agent, and on its version (S2)."""
    if tuple(int(part) for part in node.version.split(".")) < SINCE:
        return "none"
    if facts.needs_relay(topology, node):
        return "after a call-in"
    callers = {handler.path for handler in facts.wakers(topology, node)}
    if not callers:
        return "after a call-in"
    return "at once" if {way.handler for way in ways(topology, node)} <= callers else "either"


def wrong_round(topology: Topology, node: Node, seen: Rounds) -> list[tuple[str, str]]:
    """What is wrong about the messages to an agent, as (expected, observed)."""
    if expected_way(topology, node) == "none":
        return _wrong_refusal(node.path, seen)
    broken = [wrong for each in seen.rounds for wrong in _wrong_answer(node.path, each)]
    return broken or _wrong_moment(node.path, expected_way(topology, node), seen)


def _wrong_refusal(path: str, seen: Rounds) -> list[tuple[str, str]]:
    wanted = f"{path}: an agent before 4.5 has no DataChannel, and the queue says so"
    return [
        (wanted, f"{path}: the item is {each.outcome or 'open'} ({each.message}), {len(each.answers)} answers")
        for each in seen.rounds
        if each.outcome != "failed" or each.answers
    ]


def _wrong_answer(path: str, seen: Round) -> list[tuple[str, str]]:
    """A message is answered once, with what it said."""
    wanted = f"{path}: takes the message {seen.text} and answers it once"
    texts = [answer.text for answer in seen.answers]
    if texts == [seen.text] and seen.outcome == "delivered":
        return []
    told = f"{path}: the item is {seen.outcome or 'open'} ({seen.message or 'no attempt'}), answers: {texts}"
    return [(wanted, told)]


def _wrong_moment(path: str, way: Way, seen: Rounds) -> list[tuple[str, str]]:
    if way == "after a call-in" and seen.early:
        wanted = f"{path}: nobody can tell it, so the message arrives after its next call-in and not before"
        return [(wanted, f"{path}: it answered without a call-in")]
    if way != "at once":
        return []
    wanted = f"{path}: its handler tells it, so it answers within {AT_ONCE_SECONDS:g} s and without a call-in"
    quickest = min(each.answers[0].received - each.sent for each in seen.rounds)
    told = f"{path}: it answered after {quickest:.1f} s"
    if quickest > AT_ONCE_SECONDS:
        return [(wanted, told)]
    return [] if seen.clear else [(wanted, f"{told}, each of {len(seen.rounds)} times not before a call-in")]


def wrong_handler(topology: Topology, node: Node, seen: Rounds) -> list[tuple[str, str]]:
    """Answers that another handler passed on than the one the agent uses."""
    right = ways(topology, node)
    allowed = {way.handler for way in right}
    return [
        (f"{node.path}: its answers come through {in_words(right)}", f"{node.path}: one came through {answer.handler}")
        for each in seen.rounds
        for answer in each.answers
        if answer.handler not in allowed
    ]


def wrong_files(path: str, listed: Sequence[str], names: Sequence[str]) -> list[tuple[str, str]]:
    """Files of the DataChannel on a handler that are missing, or not its user's alone; `listed` are lines `mode user
    name`."""
    wanted = f"{path}: certificate and key of the DataChannel are the handler's alone (0600)"
    found = {line.split(maxsplit=2)[2] for line in listed}
    wrong = [f"{name} is not there" for name in names if name not in found]
    wrong += [line for line in listed if not line.startswith("600 miniepo ")]
    return [(wanted, f"{path}: {'; '.join(wrong)}")] if wrong else []


def wrong_certificate(path: str, pem: bytes, authorities: bytes, now: datetime) -> list[tuple[str, str]]:
    """What is wrong about the certificate that a handler shows to the server."""
    wanted = f"{path}: has a valid certificate DataChannelAH_{path} of the lab's CA"
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        return [(wanted, f"{path}: no certificate: {error}")]
    names = [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    broken = [] if names == [f"DataChannelAH_{path}"] else [f"it is called {', '.join(names) or 'nothing'}"]
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        broken.append(f"it is valid from {certificate.not_valid_before_utc} to {certificate.not_valid_after_utc}")
    if not any(_issued_by(certificate, ca) for ca in x509.load_pem_x509_certificates(authorities)):
        broken.append("no CA of the lab has signed it")
    return [(wanted, f"{path}: {'; '.join(broken)}")] if broken else []


def _issued_by(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def stuck(rows: Sequence[str], batches: Collection[str], system: int) -> list[str]:
    """The rows `AutoID|BatchUid|Target|…` of the published query that are about these batches and a system."""
    return [row for row in rows if (cells := row.split("|"))[1] in batches and cells[2] == str(system)]
