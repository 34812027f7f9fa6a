"""Remembers which signed requests were accepted, so that a captured one cannot be replayed; survives a restart."""

from __future__ import annotations

from miniepo.agent.state import StateDirectory
from miniepo.errors import ReplayedEnvelopeError
from miniepo.protocol.signing import MAX_AGE_SECONDS


class NonceMemory:
    """Nonces that were used. Each is kept for as long as an envelope with it could still be fresh, either way."""

    def __init__(self, state: StateDirectory) -> None:
        self._state = state
        self._until = state.nonces

    def use(self, nonce: str, now: float) -> None:
        """Take the nonce, written before this returns; ReplayedEnvelopeError if it was taken before.

        An agent's own state is on disk then, that of a swarm's agents within the ledger's next commit.
        """
        if nonce in self._until:
            raise ReplayedEnvelopeError("the nonce was seen before: a replayed request")
        self.note(nonce, now)

    def note(self, nonce: str, now: float) -> None:
        """Count the nonce as used from now on, whether it was used before or not."""
        self._until = {known: until for known, until in self._until.items() if until > now}
        self._until[nonce] = now + 2 * MAX_AGE_SECONDS
        self._state.nonces = self._until
