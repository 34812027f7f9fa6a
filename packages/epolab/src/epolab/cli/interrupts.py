"""What Ctrl-C, SIGTERM and a closed terminal do to a command: before its work, during it, and at its last words.

Nothing is imported here that a bare interpreter has not loaded already.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from types import FrameType

EXIT_CODE = 130
# `timeout` tells its child and then the child's whole group: that is one stop, and what it began goes on
ONE_STOP_SECONDS = 1.0
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WORDS = b"error: interrupted before anything was begun\ntry: the same command again\n"
DOCUMENT = (
    b'{"error": {"code": "interrupted", "message": "interrupted before anything was begun", '
    b'"hint": "the same command again", "step": null, "evidence": []}}\n'
)


def is_json_wanted(argv: Sequence[str]) -> bool:
    """Whether the words ask for a document, as far as they can be understood before they are parsed."""
    return "--json" in argv


class Interrupts:
    """The signals by which a person or a machine stops a command; those that were ignored from outside stay so."""

    def __init__(self, numbers: Sequence[signal.Signals] = ()) -> None:
        self._numbers = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]

    @classmethod
    def install(cls, argv: Sequence[str]) -> Interrupts:
        """Until the work begins: say that nothing was begun, and end, whatever is being imported at that moment."""
        interrupts = cls(STOPPING)
        json_wanted = is_json_wanted(argv)
        for number in interrupts._numbers:
            signal.signal(number, lambda _number, _frame: end_at_once(json_wanted=json_wanted))
        return interrupts

    def work_begins(self) -> None:
        """From now on the work itself hears of it, and cleans up; the same signal twice in a moment is heard once."""
        heard: dict[int, float] = {}

        def hear(number: int, _frame: FrameType | None) -> None:
            now = time.monotonic()
            if number not in heard or now - heard[number] > ONE_STOP_SECONDS:
                heard[number] = now
                raise KeyboardInterrupt

        for each in self._numbers:
            signal.signal(each, hear)

    def work_is_over(self) -> None:
        """From now on there is nothing to stop: the one document is written whole, the exit code is what it is."""
        for number in self._numbers:
            signal.signal(number, signal.SIG_IGN)


def end_at_once(*, json_wanted: bool) -> None:
    """The last words of a command that had not begun."""
    try:
        os.write(2, WORDS)
        if json_wanted:
            os.write(1, DOCUMENT)
    finally:
        os._exit(EXIT_CODE)
