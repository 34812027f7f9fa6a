"""The one place that reads the time and draws at random, behind two small protocols that tests replace."""

from __future__ import annotations

import random
import secrets
import time
import uuid
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The time, as wall-clock seconds since the epoch and as a monotonic reading."""

    def now(self) -> float: ...

    def monotonic(self) -> float: ...


class Entropy(Protocol):
    """What is drawn at random: nonces, GUIDs and spread-out moments."""

    def nonce(self) -> str: ...

    def guid(self) -> str: ...

    def uniform(self, low: float, high: float) -> float: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class SystemEntropy:
    """The machine's randomness."""

    def nonce(self) -> str:
        return secrets.token_hex(16)

    def guid(self) -> str:
        """A GUID as the Web API shows it: upper case, no braces (domain §4.1)."""
        return str(uuid.uuid4()).upper()

    def uniform(self, low: float, high: float) -> float:
        return random.uniform(low, high)


def iso_utc(seconds: float) -> str:
    """Wall-clock seconds as ISO-8601 with an offset, to the second (`2021-11-21T13:11:42+00:00`)."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
