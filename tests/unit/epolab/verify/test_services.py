"""Stopping services: noted before it happens, put back afterwards, and waited for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from epolab.hands.journal import Undo
from epolab.verify.services import HANDLER, answers, start_text, stop_text, stopped
from epolab.verify.witness import Witness


class Recorded:
    """A witness that writes down what it is asked for; the port is served unless the service is stopped."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.serving = True

    @property
    def journal(self) -> Any:
        return self

    @contextmanager
    def undone_by(self, *undos: Undo) -> Iterator[None]:
        try:
            yield
        finally:
            for undo in undos:
                self.must(undo.node, undo.command)

    def must(self, path: str, command: str) -> str:
        if command.startswith("ss "):
            return "LISTEN" if self.serving else ""
        self.done.append(f"{path}: {command}")
        self.serving = "force-stop" not in command
        return ""


def test_a_service_is_stopped_for_the_block_and_serves_afterwards() -> None:
    witness = Recorded()
    with stopped(cast(Witness, witness), {"hq/epo": 443}, HANDLER):
        assert witness.done == [f"hq/epo: {stop_text(HANDLER)}"]
        assert not answers(cast(Witness, witness), "hq/epo", 443)
    assert witness.done[1:] == [f"hq/epo: {start_text(HANDLER)}"]


def test_it_is_started_again_when_the_check_fails() -> None:
    witness = Recorded()
    with pytest.raises(AssertionError), stopped(cast(Witness, witness), {"hq/epo": 443}, HANDLER):
        raise AssertionError
    assert witness.serving
