"""What content takes over lines."""

import pytest

from epolab.model.topology import Topology
from epolab.topology import load_text
from epolab.verify.line_time import (
    answer_seconds,
    patience_seconds,
    replication_limit_seconds,
    round_trip_seconds,
    transfer_seconds,
)

CHAIN = b"""epolab: 1
sites:
  hq: {nodes: {epo: {components: [server, sql]}}}
  mid: {nodes: {sa: {components: superagent}}}
  end: {nodes: {sb: {components: superagent}}}
wan:
  - {between: [hq, mid], rate: 8mbit}
  - {between: [end, mid], a_to_b: {rate: 64kbit}, b_to_a: {rate: 1mbit}}
"""


@pytest.fixture(scope="module", name="chain")
def chain_fixture() -> Topology:
    loaded = load_text(CHAIN, "chain.yaml")
    assert loaded.valid and loaded.topology is not None, loaded.problems
    return loaded.topology


def test_the_slowest_line_on_the_way_decides_in_the_direction_of_the_content(chain: Topology) -> None:
    server, mid, end = (chain.node(path) for path in ("hq/epo", "mid/sa", "end/sb"))
    assert transfer_seconds(chain, server, server, 1_000_000) == 0
    assert transfer_seconds(chain, server, mid, 1_000_000) == pytest.approx(1)
    assert transfer_seconds(chain, server, end, 1_000_000) == pytest.approx(8)
    assert transfer_seconds(chain, end, server, 1_000_000) == pytest.approx(125)


def test_the_limit_grows_with_the_content_and_is_never_less_than_it_was(chain: Topology) -> None:
    assert replication_limit_seconds(chain, 1_000_000, 120) == 120
    assert replication_limit_seconds(chain, 50_000_000, 120) == pytest.approx(3 * (50 + 400) + 60)


def test_a_knock_is_waited_for_by_the_lines_it_crosses() -> None:
    lines = CHAIN.replace(b"rate: 8mbit", b"delay: 600ms")
    far = load_text(lines, "chain.yaml").topology
    assert far is not None
    server, mid, end = (far.node(path) for path in ("hq/epo", "mid/sa", "end/sb"))
    assert round_trip_seconds(far, server, server) == 0
    assert round_trip_seconds(far, server, mid) == round_trip_seconds(far, end, server) == pytest.approx(1.2)
    assert patience_seconds(far, server, mid) > 2 * 1.2
    assert answer_seconds(far, server, mid) > 1 + 2 + 2 * 1.2  # two handshakes lost, then there and back
