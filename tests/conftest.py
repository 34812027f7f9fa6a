"""What every suite needs: Ctrl-C must mean something to the commands that tests start."""

import signal

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """A shell starts programs in the background with SIGINT ignored, and all that they start inherits it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
