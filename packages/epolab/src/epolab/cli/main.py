"""The console script: from its first moment on Ctrl-C has an answer; what takes time to import comes after that."""

from __future__ import annotations

import sys

from epolab.cli.interrupts import Interrupts


def main() -> None:
    """The console script."""
    interrupts = Interrupts.install(sys.argv[1:])
    from epolab.cli.command import run

    sys.exit(run(sys.argv[1:], interrupts))
