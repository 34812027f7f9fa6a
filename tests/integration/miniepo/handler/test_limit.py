"""A handler at its limit: who is refused calls in to the next handler, or to this one when there is room again."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from field import Field, open_field, until

from miniepo import config

pytestmark = pytest.mark.integration


@pytest.fixture
def field(tmp_path: Path, database: config.Database) -> Iterator[Field]:
    with open_field(tmp_path, database) as made:
        yield made


def taken(port: int) -> socket.socket:
    """A connection that says nothing."""
    return socket.create_connection(("127.0.0.1", port), 5)


def test_an_agent_that_is_refused_goes_to_the_next_handler(field: Field) -> None:
    full = field.handler("hq/epo", max_connections=0)
    field.handler("dmz/ah")
    agent = field.agent("pc-1", asci_seconds=60)
    agent.until(lambda status: status["last_handler"] and status["last_handler"]["name"] == "dmz/ah", seconds=30)
    assert "all 0 connections are in use" in full.text()
    assert "all connections of this handler are in use" in agent.process.text()


def test_an_agent_waits_for_its_only_handler_and_calls_in_when_a_connection_is_free(field: Field) -> None:
    handler = field.handler("hq/epo", max_connections=1)
    holding = taken(int(field.sites[0].secure_port or 0))
    agent = field.agent("pc-1", asci_seconds=120)
    until(lambda: "all connections of this handler are in use" in agent.process.text(), what="the agent is refused")
    began = time.monotonic()
    holding.close()
    agent.until(lambda status: status["last_callin"], seconds=30)
    assert time.monotonic() - began < 12, "a refused agent comes back within twice the time that it was told"
    until(lambda: refusals(field), what="the heartbeat tells how many were refused")
    assert "connections are in use" in handler.text()


def refusals(field: Field) -> int:
    [handler] = field.store(lambda store: store.handlers.all())
    return int(handler.refused_connections)
