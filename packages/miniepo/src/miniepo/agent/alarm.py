"""What rings when a wake-up was believed: the doors and ears ring it, the caller hears it."""

from __future__ import annotations

from collections.abc import Callable

from miniepo.protocol.messages import Wakeup


class Alarm:
    """Passes wake-ups on to the one who calls in; made before him, so that every part of the agent can have it."""

    def __init__(self) -> None:
        self._woken: Callable[[Wakeup], None] | None = None

    def connect(self, woken: Callable[[Wakeup], None]) -> None:
        """Who is woken from now on."""
        self._woken = woken

    def ring(self, call: Wakeup) -> None:
        """A wake-up was believed."""
        if self._woken is None:
            raise RuntimeError("nobody is connected to the alarm")
        self._woken(call)
