"""What every suite needs: Ctrl-C and a closed terminal must mean something to the commands that tests start."""

import signal

import pytest

ORDINARY = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}


def pytest_configure(config: pytest.Config) -> None:
    """Started in the background or by nohup a program ignores these signals, and all that it starts inherits it."""
    for number, ordinary in ORDINARY.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, ordinary)
