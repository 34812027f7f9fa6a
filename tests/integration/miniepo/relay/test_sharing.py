"""Several relays share the load of many agents: measured over twenty agent processes behind three relays."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from miniepo import config
from tests.integration.miniepo.field import Field, open_field
from tests.integration.miniepo.segments import Segments, open_segments

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
]

AGENTS = 20
PATIENCE_SECONDS = 90.0
LEAST, MOST = 1, 14
"""Drawn fairly, one of three relays gets none of twenty agents in one of 1,100 runs, and 15 or more in one of 1,900."""


@pytest.fixture
def segments() -> Iterator[Segments]:
    with open_segments(crowd=AGENTS, relays=3) as opened:
        yield opened


@pytest.fixture
def field(tmp_path: Path, database: config.Database) -> Iterator[Field]:
    with open_field(tmp_path, database) as opened:
        yield opened


def test_twenty_agents_are_spread_over_three_relays(
    segments: Segments, field: Field, capsys: pytest.CaptureFixture[str]
) -> None:
    field.handler("hq/epo", "10.77.2.10", segments.server, fqdn="epo.field.test")
    relays = {f"relay-{number}": segments.relay(number) for number in (1, 2, 3)}
    for name, namespace in relays.items():
        field.relay(name, namespace)
    agents = [
        field.agent(f"pc-{number}", 8081, namespace, asci_seconds=300, first_call_within_seconds=5, listen=["0.0.0.0"])
        for number, namespace in enumerate(segments.crowd(AGENTS), 1)
    ]
    used = Counter(
        agent.until(lambda status: status["last_handler"], PATIENCE_SECONDS)["last_handler"]["via_relay"]
        for agent in agents
    )
    with capsys.disabled():
        shares = ", ".join(f"{name}: {used[name]}" for name in relays)
        sys.stdout.write(f"\n{AGENTS} agents behind {len(relays)} relays: {shares}; bound: {LEAST} to {MOST} each\n")
    assert set(used) == set(relays)
    assert all(LEAST <= count <= MOST for count in used.values())
