"""Promise `datachannel`: messages of products go round beside the agent-server communication, and none gets stuck."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from epolab.model.topology import Topology
from epolab.verify import datachannel, datachannel_plan
from epolab.verify.broken import expect, expect_all
from epolab.verify.callins import server_time
from epolab.verify.datachannel import Channel
from epolab.verify.witness import Witness

CERTIFICATE = "/etc/miniepo/tls/datachannel.pem"
KEY = "/etc/miniepo/tls/datachannel.key"
AUTHORITIES = "/etc/miniepo/ca.pem"


def test_the_handler_has_its_certificate(witness: Witness, handler: str) -> None:
    """the handler has a valid certificate DataChannelAH_<handler> of the lab's CA, readable for nobody else"""
    listed = witness.run(handler, f"stat -c '%a %U %n' {CERTIFICATE} {KEY}").stdout.splitlines()
    expect_all(datachannel_plan.wrong_files(handler, listed, (CERTIFICATE, KEY)))
    pem, authorities = (witness.must(handler, f"cat {path}").encode() for path in (CERTIFICATE, AUTHORITIES))
    now = datetime.fromtimestamp(server_time(witness), UTC)
    expect_all(datachannel_plan.wrong_certificate(handler, pem, authorities, now))


@pytest.fixture(scope="module", name="channel")
def channel_fixture(witness: Witness, whole: None) -> Channel:
    """A message to every agent at once."""
    return datachannel.observe(witness)


def test_a_message_goes_round(topology: Topology, channel: Channel, agent: str) -> None:
    """the agent answers at once without a call-in if its handler can tell it, else after its next call-in"""
    expect_all(datachannel_plan.wrong_round(topology, topology.node(agent), channel.rounds[agent]))


def test_the_answer_comes_through_its_handler(topology: Topology, channel: Channel, agent: str) -> None:
    """the agent's answers reach the server through the handler that it is assigned to"""
    expect_all(datachannel_plan.wrong_handler(topology, topology.node(agent), channel.rounds[agent]))


def test_the_published_checks_find_nothing_stuck(channel: Channel, agent: str) -> None:
    """the published checks of the queue run as they stand, and no message to the agent is stuck"""
    sent = sum(channel.batches.values())
    expect(channel.count >= sent, f"the queue has the {sent} items of this check", f"it has {channel.count}")
    left = datachannel_plan.stuck(channel.open_rows, channel.batches, channel.systems[agent])
    expect(not left, f"{agent}: no item of this check has Finished NULL", f"stuck: {'; '.join(left)}")
