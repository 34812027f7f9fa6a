"""Six relays share 22 agents; when one alone hears who looks for a relay, it carries all of them, and that is seen."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from epolab.model import facts
from epolab.topology import load_topology
from tests.acceptance.broken_promises import firewall_kept, on
from tests.acceptance.conversations import one_lab
from tests.acceptance.lab import TOPOLOGIES
from tests.acceptance.test_relay_says_no import DEAF, DISTURBING
from tests.acceptance.verdicts import Examined, assert_told, nodes_of, told

pytestmark = pytest.mark.acceptance
FILE = TOPOLOGIES / "relay-failover.yaml"
CROWD, AGENTS = "field/crowd", 22
USED = "FAILOVER_LAB"
"""Who writes a counterpart may set this to `HOME:LAB`: a lab that is up already is used, and stays."""


@pytest.fixture(scope="module", name="failover")
def failover_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examined]:
    home, _, lab = os.environ.get(USED, "").rpartition(":")
    if home:
        yield Examined(Path(home), lab, load_topology(FILE))
    else:
        yield from one_lab(tmp_path_factory.mktemp("failover") / "home", FILE, f"failover-{os.getpid()}")


def shares(lab: Examined, since: float) -> dict[str, int]:
    """How many agents each relay carried when they drew their relays anew, as the server has it."""
    rows = lab.api("miniepo.listCallins", since=str(since))
    drawn = {row["fqdn"]: row["via_relay"] for row in rows if row["reason"] == "manual"}
    carried = Counter(drawn.values())
    return {relay.name: carried[relay.name] for relay in facts.relays(lab.topology)}


def test_the_relays_share_the_load(failover: Examined, capsys: pytest.CaptureFixture[str]) -> None:
    since = failover.api("miniepo.now")
    rows = failover.assert_positive("-k", "relay")
    assert [row["node"] for row in rows if "spread over their relays" in row["reason"]] == [CROWD]
    carried = shares(failover, since)
    with capsys.disabled():
        text = ", ".join(f"{name}: {count}" for name, count in carried.items())
        sys.stdout.write(f"\n{AGENTS} agents behind {len(carried)} relays: {text}\n")
    assert sum(carried.values()) == AGENTS and sum(count > 0 for count in carried.values()) > 1


def test_one_relay_that_carries_everybody_is_seen(failover: Examined) -> None:
    """The others serve as ever whoever remembers them, so that nothing else is wrong but that nobody finds them."""
    lab, since = failover.lab, failover.api("miniepo.now")
    *deaf, left = [relay.path for relay in facts.relays(failover.topology)]
    with ExitStack() as mended:
        for relay in deaf:
            mended.enter_context(firewall_kept(lab, relay, "iptables"))
            mended.enter_context(firewall_kept(lab, relay, "ip6tables"))
            on(lab, relay, DEAF)
        rows = failover.failed_checks(f"test_relay and not ({' or '.join(DISTURBING)})")
    assert nodes_of(rows) == {CROWD, *deaf} and len(rows) == 1 + len(deaf), told(rows)
    for relay in deaf:
        assert_told(rows, relay, f"{relay}: answers the discovery of", "there answered relay-c-4")
    name = left.rpartition("/")[2]
    assert_told(rows, CROWD, f"{AGENTS} agents share relay-a, relay-b, ", "relay-a: 0, relay-b: 0, ")
    assert_told(rows, CROWD, "two at least, none for more than 13", f"{name}: {AGENTS}")
    assert shares(failover, since)[name] == AGENTS
