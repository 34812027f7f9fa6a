"""What an agent can become by policy: the seam behind which relay and SuperAgent stand."""

from __future__ import annotations

from typing import Protocol

from miniepo.agent.settings import Settings
from miniepo.wire.http_request import Request
from miniepo.wire.http_response import Response


class Refusal(str):
    """A problem that no later enforcement mends, because the agent cannot be what the policy says: it is reported, and
    the policy counts as enforced."""


class Role(Protocol):
    """A role that policy switches on and off."""

    @property
    def name(self) -> str:
        """The policy category that governs it."""
        ...

    @property
    def active(self) -> bool:
        """Whether it is switched on right now."""
        ...

    def enforce(self, settings: Settings) -> tuple[str, ...]:
        """Bring the node to what the policy says; what could not be done comes back as texts."""
        ...

    def properties(self) -> dict[str, str]:
        """What to report about it to the server."""
        ...

    async def handle(self, request: Request) -> Response | None:
        """Answer a request on the wake-up port, or leave it to others."""
        ...
