"""What is knocked at: a port from a source, and what came back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Knock:
    """One attempt to reach a port; `send` is hex, needed for UDP; `source` binds the knocking address."""

    protocol: Literal["tcp", "udp"]
    address: str
    port: int
    send: str = ""
    source: str | None = None
    timeout_s: float = TIMEOUT_SECONDS

    def to_document(self) -> dict[str, object]:
        """The knock as the probe program reads it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `reply` is hex."""

    outcome: Literal["open", "refused", "silent", "error"]
    reply: str
    error: str
    ms: float

    @property
    def answered(self) -> bool:
        """Whether anybody was there."""
        return self.outcome == "open"

    @property
    def text(self) -> str:
        """The outcome for people."""
        return {"open": "it answers", "silent": "no answer"}.get(self.outcome, f"{self.outcome}: {self.error}")
