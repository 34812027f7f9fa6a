"""The DataChannel by the ePO version: none before 4.5.0, and in 4.5 the server has to get to its remote handlers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from epolab.model import facts
from epolab.verify.ways import ways
from tests.acceptance.broken_promises import configured, firewall_kept, on
from tests.acceptance.lab import until
from tests.acceptance.verdicts import Examined, assert_told, nodes_of, told

pytestmark = pytest.mark.acceptance
REMOTE, SERVER, TOLD = "dmz/ah-1", "hq/epo", "tokyo/tokyo-pc"
LISTED = "grep -o '<SpipeSite [^>]*' /var/lib/miniepo/agent/SiteList.xml"
HANDLES, CONSOLE = "nc -z 127.0.0.1 443", "nc -z 127.0.0.1 8443"
LIST_LIMIT_SECONDS = 120.0


def test_an_epo_before_4_5_0_has_no_datachannel(conversations: Examined) -> None:
    lab, agents = conversations, [node.path for node in facts.agents(conversations.topology)]
    with ExitStack() as stack:
        for handler in facts.handlers(lab.topology):
            old = configured(lab.lab, handler.path, "handler", "miniepo-handler", HANDLES, epo_version="4.0.0")
            stack.enter_context(old)
        assert until(lambda: all_listed(lab, agents, 'Version="4.0.0"'), LIST_LIMIT_SECONDS)
        rows = lab.failures("datachannel", kept=["isolation"])
        assert nodes_of(rows) == set(agents), told(rows)
        for agent in agents:
            assert_told(rows, agent, "answers it once", "answers: []")
            assert_told(rows, agent, "no item of this check has Finished NULL", "stuck: ")
    assert until(lambda: not any_listed(lab, agents, 'Version="4.0.0"'), LIST_LIMIT_SECONDS)
    lab.assert_positive("-k", "datachannel")


def listed(lab: Examined, agent: str) -> list[str]:
    """The handlers of an agent's site list, as they stand there."""
    return on(lab.lab, agent, LISTED).splitlines()


def all_listed(lab: Examined, agents: list[str], words: str) -> bool:
    """Whether every handler of these agents' lists has these words."""
    return all(words in site for agent in agents for site in listed(lab, agent))


def any_listed(lab: Examined, agents: list[str], words: str) -> bool:
    """Whether any has."""
    return any(words in site for agent in agents for site in listed(lab, agent))


@contextmanager
def kept_from(lab: Examined, handler: str) -> Iterator[None]:
    """The server's connections to a remote handler are refused, in both families."""
    server = lab.topology.node(SERVER)
    with ExitStack() as stack:
        for tool, address in (("iptables", server.ipv4), ("ip6tables", server.ipv6)):
            stack.enter_context(firewall_kept(lab.lab, handler, tool))
            on(lab.lab, handler, f"{tool} -I INPUT 1 -p tcp -s {address} --dport 443 -j REJECT")
        yield


def test_in_4_5_the_server_has_to_reach_its_remote_handlers_and_since_4_6_it_has_not(conversations: Examined) -> None:
    """Only agents that the remote handler would tell at once are concerned; they get it after their next call-in."""
    lab = conversations
    with kept_from(lab, REMOTE):
        lab.assert_positive("-k", "datachannel")
    with configured(lab.lab, SERVER, "server", "miniepo-server", CONSOLE, epo_version="4.5.0"):
        lab.assert_positive("-k", "datachannel")
        with kept_from(lab, REMOTE):
            rows = lab.failures("datachannel", kept=["isolation"])
            users = {
                n.path for n in facts.agents(lab.topology) if {w.handler for w in ways(lab.topology, n)} == {REMOTE}
            }
            assert TOLD in users and users <= nodes_of(rows) <= users | {"hq/hq-pc"}, told(rows)
            assert_told(rows, TOLD, "its handler tells it, so it answers within", "it answered after")
    lab.assert_positive("-k", "datachannel")
