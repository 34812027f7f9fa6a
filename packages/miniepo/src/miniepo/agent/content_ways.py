"""Which way to a repository is tried next when one did not bring the content: pure; `update` walks the ways.

Straight first, unless the site is known not to answer; then through the cached relays in their order. The next relay is
tried when the current one cannot reach the repository, refuses it, or lacks the content: what came through it is
missing or not as catalogued (domain §5, source S1). A repository that answered straight and lacks the content is the
last word on itself: relays lead to the same one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from miniepo.errors import ContentError, TransferError, WorldError
from miniepo.protocol.discovery import Relay


@dataclass(frozen=True, slots=True)
class ContentWay:
    """Straight (`relay` None) or through a relay."""

    relay: Relay | None = None

    @property
    def label(self) -> str:
        """For log lines."""
        return f"through relay {self.relay.computer_name}" if self.relay else "straight"


@dataclass(frozen=True, slots=True)
class WayFailed:
    """The way could not be opened, or what came by it was not the content; `error` says which."""

    way: ContentWay
    error: WorldError


class ContentWays:
    """The ways to one repository, one after the other."""

    def __init__(self, relays: Sequence[Relay], skip_straight: bool) -> None:
        straight = () if skip_straight else (ContentWay(),)
        self._left = deque((*straight, *(ContentWay(relay) for relay in relays)))

    def start(self) -> ContentWay | None:
        """The first way; None if there is none."""
        return self._next()

    def receive(self, failed: WayFailed) -> ContentWay | None:
        """The way to try after one that failed; None when the repository is to be given up."""
        if failed.way.relay is None and lacks_content(failed.error):
            return None
        return self._next()

    def _next(self) -> ContentWay | None:
        return self._left.popleft() if self._left else None


def lacks_content(error: WorldError) -> bool:
    """Whether the repository was there but its content was not, or not as it should be."""
    return isinstance(error, ContentError | TransferError)
