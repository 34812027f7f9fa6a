"""How long an agent goes on trying to reach one handler: which way comes next, and what ends it (domain §4): pure.

A handler is tried by IP, then FQDN, then NetBIOS name, up to six rounds, so at most 18 attempts, with no delay. Every
error of an attempt, which is a connection with the handler's own TLS, moves on to the next way at once, until the next
ASCI is near. What ends it for one handler does not keep the agent from going down its list to the next.

The recorded ends are: no error, download failed, upload failed, the agent shutting down, and a server's status upload
success, no package to receive, or that the agent must regenerate its GUID. (One more transfer state ends it; its name
is lost.) All but the first are met on a connection that stands, thus when the attempts are over, and begin them not
anew: `agent.communication` leaves a handler whose transfer failed for the next one, `agent_session` obeys the server.

A way that stayed silent, has no address or leads to another host is not tried again in the same communication, because
each time would cost the whole timeout or a handshake; that is this project's choice, `patient=True` (`retry_timeouts`
in agent.json) makes all 18 attempts.
How near the next ASCI must be is [uncertain]: here, when less time is left than one attempt may take; the first round
is always made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

ROUNDS = 6
Method = TypeVar("Method")
Outcome = Literal[
    "no-error",
    "refused",
    "silent",
    "unresolved",
    "untrusted",
]
_NOT_AGAIN: frozenset[Outcome] = frozenset(("silent", "unresolved", "untrusted"))


@dataclass(frozen=True, slots=True)
class Attempt(Generic[Method]):
    """Try this way; its outcome is the next event. Rounds are counted from 1."""

    round: int
    method: Method


@dataclass(frozen=True, slots=True)
class Stop:
    """Try no more; the reason is `no-error`, `next-asci`, or `exhausted`."""

    reason: str


class ConnectionRetry(Generic[Method]):
    """The attempts at one handler in one communication."""

    def __init__(
        self, methods: Sequence[Method], rounds: int = ROUNDS, attempt_seconds: float = 0.0, patient: bool = False
    ) -> None:
        self._ways = [(number, method) for number in range(1, rounds + 1) for method in methods]
        self._attempt_seconds = attempt_seconds
        self._patient = patient
        self._tried: Method | None = None

    def start(self, seconds_left: float) -> Attempt[Method] | Stop:
        """The first attempt; `seconds_left` until the next ASCI."""
        return self._next(seconds_left)

    def receive(self, outcome: Outcome, seconds_left: float) -> Attempt[Method] | Stop:
        """What follows an attempt's outcome."""
        if outcome == "no-error":
            return Stop(outcome)
        if outcome in _NOT_AGAIN and not self._patient:
            self._ways = [way for way in self._ways if way[1] != self._tried]
        return self._next(seconds_left)

    def _next(self, seconds_left: float) -> Attempt[Method] | Stop:
        if not self._ways:
            return Stop("exhausted")
        number, method = self._ways[0]
        if number > 1 and seconds_left <= self._attempt_seconds:
            return Stop("next-asci")
        self._ways, self._tried = self._ways[1:], method
        return Attempt(number, method)
