"""Whom `up` wakes while it waits, and whom it only waits for."""

from dataclasses import replace

import pytest

from epolab.steps.wakeup import AGAIN_SECONDS, PATIENCE_RARE_SECONDS, PATIENCE_SECONDS, Waker, unreached
from epolab.topology import load_topology

BOTH = ("pc-1.hq.test", "far.tokyo.test")
WALLED = """epolab: 1
name: walled
sites:
  hq: {nodes: {epo: {components: [server]}, sql: {components: [sql]}}}
  india:
    firewall:
      default: deny
      rules: [{allow: {from: india/relay, to: hq}}]
    nodes: {relay: {components: [relay]}, pc: {components: [agent]}}
wan: [{between: [hq, india]}]
"""


def paced(topology, seconds):
    """The same lab with agents of this interval."""
    sites = [replace(s, nodes=tuple(replace(n, asci_seconds=seconds) for n in s.nodes)) for s in topology.sites]
    return replace(topology, sites=tuple(sites))


def names(nodes):
    return [node.fqdn for node in nodes]


@pytest.mark.parametrize(
    ("asci", "waited", "woken"),
    [
        (10.0, PATIENCE_RARE_SECONDS, False),
        (10.0, PATIENCE_SECONDS, True),
        (300.0, PATIENCE_RARE_SECONDS - 1, False),
        (300.0, PATIENCE_RARE_SECONDS, True),
        (86400.0, PATIENCE_RARE_SECONDS, True),
    ],
)
def test_whoever_calls_in_rarely_is_woken_soon(topology, asci, waited, woken):
    assert names(Waker(paced(topology, asci)).due(BOTH, waited)) == (list(BOTH) if woken else [])


def test_only_who_is_waited_for_is_woken(topology):
    assert names(Waker(paced(topology, 300.0)).due(["far.tokyo.test", "gone.hq.test"], 60.0)) == ["far.tokyo.test"]


def test_there_is_time_between_two_wake_ups(topology):
    waker = Waker(paced(topology, 300.0))
    moments = [moment for moment in range(100) if waker.due(BOTH, float(moment))]
    assert moments == [PATIENCE_RARE_SECONDS + n * AGAIN_SECONDS for n in range(4)]


def test_whom_no_handler_reaches_is_not_woken_but_waited_for(tmp_path):
    file = tmp_path / "walled.yaml"
    file.write_text(WALLED)
    walled = paced(load_topology(file), 300.0)
    assert names(unreached(walled)) == ["relay.india.test", "pc.india.test"]
    assert Waker(walled).due(names(unreached(walled)), 60.0) == []
