"""When an agent acts of its own accord: its first call, every ASCI, uploads, enforcement (domain §4): pure.

The first call comes at a random moment of a window that depends on the agent's version (`protocol.version`). A call for
whatever reason is a whole communication, so the next ASCI counts from it; an upload of priority events is none and
changes nothing. Seconds of a monotonic clock.
"""

from __future__ import annotations

from miniepo.protocol.agent_session import Reason


class CallSchedule:
    """One agent's schedule; `started` is now, `drawn` the random moment of the first call's window."""

    def __init__(self, started: float, drawn: float) -> None:
        self.due = started + drawn
        self.reason: Reason = "start"

    def wait(self, now: float) -> float:
        """How long there is still to wait; 0 when the call is due."""
        return max(0.0, self.due - now)

    def called(self, began: float, reason: Reason, asci_seconds: float) -> None:
        """A call that began then has ended, well or badly."""
        if reason == "event":
            return
        self.reason = "asci"
        self.due = began + asci_seconds


class EnforcementSchedule:
    """When the agent enforces its policies again, without anybody's help; an interval that changes counts at once."""

    def __init__(self, enforced: float) -> None:
        self._last = enforced

    def is_due(self, now: float, interval_seconds: float) -> bool:
        """Whether the interval is over; if so, the next one begins."""
        if now < self._last + interval_seconds:
            return False
        self._last = now
        return True


class UploadSchedule:
    """When priority events are uploaded: at once, but no sooner than an interval after the upload before.

    That uploads are spread at all is [uncertain]; an interval of 0 switches it off.
    """

    def __init__(self) -> None:
        self._last = float("-inf")
        self._asked = False

    def ask(self, now: float, interval_seconds: float) -> float | None:
        """How long to wait with the upload for an event that came now; None if one is on its way already."""
        if self._asked:
            return None
        self._asked = True
        return max(0.0, self._last + interval_seconds - now)

    def begins(self, now: float) -> None:
        """The upload begins: what comes from now on needs another."""
        self._asked = False
        self._last = now
