"""What is wrong with relays is seen: nobody hears discoveries, lists that are another's or too narrow, an open proxy,
connections that stay, a service that does not stay stopped, a way in from outside, what can be read on the way, no
relay that serves, or an agent that gets through none, or for content through one only."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from epolab.model import facts
from epolab.verify.drawing import given
from epolab.verify.web_api import shell_text
from tests.acceptance.broken_promises import START, STOP, file_kept, firewall_kept, listens, on, patched, undone
from tests.acceptance.lab import until
from tests.acceptance.verdicts import Examined, assert_told, nodes_of, told

pytestmark = [pytest.mark.acceptance, pytest.mark.beside]
FIRST, SECOND, AGENT = "india/india-relay-1", "india/india-relay-2", "india/india-pc"
RELAY = "cmamesh"
LIST = "/var/lib/miniepo/agent/SiteList.xml"
DEAF = "iptables -I INPUT -p udp --dport 8082:8083 -j DROP && ip6tables -I INPUT -p udp --dport 8082:8083 -j DROP"
FOREIGN = f"""cat > {LIST}.foreign <<'END'
<?xml version="1.0" encoding="UTF-8"?>
<ns:SiteLists xmlns:ns="naSiteList" Type="Client"><SiteList Default="1" Name="ANOTHER"><SpipeSite Type="master"\
 Name="ePO_ANOTHER" Order="1" Enabled="1" Local="0" Server="another.test:80" ServerIP="192.0.2.99:80"\
 SecurePort="443" Version="5.9.1"><RelativePath>Software</RelativePath></SpipeSite></SiteList></ns:SiteLists>
END
mv {LIST}.foreign {LIST}; chmod 644 {LIST}"""
SERVER_LOG = "/var/log/miniepo/server.log"
OWN_PORT = 8083
# what is in no list is dialled as the client wrote it
OPEN = ("protocol/relay_session.py", "self._allowed.get(target)", "self._allowed.get(target, (target.host,))")
# an agent asks no other relay for content once the first has failed it
ONE_RELAY = ("agent/content_ways.py", "for relay in relays)", "for relay in relays[:1])")
AGENT_PORT = 8081
# what the agent itself opens to its relays is refused; what it asks by UDP gets there, and so does everybody else
TO_RELAYS = "OUTPUT -p tcp -m multiport --dports 8081,8083 -m owner --uid-owner mfeagent"
SHUT = " && ".join(f"{tool} -I {TO_RELAYS} -j REJECT --reject-with tcp-reset" for tool in ("iptables", "ip6tables"))
ROUTER, TOOLS = "india/router", ("iptables", "ip6tables")
# a relay that closes nothing to its sites
KEPT = (
    ("wire/splice.py", "            sink.end()", "            pass"),
    ("relay/forward.py", "await self._target.close()", "_KEPT.append(self._target)"),
    ("relay/forward.py", '_log = logger("relay.forward")', '_log, _KEPT = logger("relay.forward"), []'),
)
# the agent of a relay that starts the service whenever it enforces its policies
STARTS_AGAIN = ("agent/relay_role.py", "if self._state.relay_started == life:", "if False:")
UNTOLD = ("handler/wakeup.py", '"install an agent on", system.name, hint)', '"install an agent on", system.name)')
# questions by multicast do not get out
NO_MULTICAST = "ip6tables -I OUTPUT -p udp -m multiport --dports 8082,8083 -j DROP"
# what stands in an agent's spool is told to a relay in plain sight too
LEAK = """
while sleep 0.1; do
    for each in /var/lib/miniepo/agent/events/*.json; do cat "$each" >/dev/tcp/%s/%d; done 2>/dev/null
done </dev/null &>/dev/null &
echo $!"""
# what stops relays and agents, and takes long: without any relay an agent loses nothing more by that
DISTURBING = ("barred", "outlive", "stays_stopped", "next_is_used", "turns_the_relay")
LIVED_BY = (
    ("calls in to", "no call-in came"),
    ("enforces the changed interval", "it enforces 5 s"),
    ("an update succeeds", "no repository could be used"),
    ("is with the server once", "it is there 0 times"),
    ("is seen to ask", "it asked none of them"),
)
PATIENCE_SECONDS = 60.0


def test_relays_that_hear_no_discovery_are_seen(conversations: Examined) -> None:
    lab = conversations.lab
    with (
        firewall_kept(lab, FIRST, "iptables"),
        firewall_kept(lab, FIRST, "ip6tables"),
        firewall_kept(lab, SECOND, "iptables"),
        firewall_kept(lab, SECOND, "ip6tables"),
    ):
        for relay in (FIRST, SECOND):
            on(lab, relay, DEAF)
        rows = conversations.failures("relay", kept=["isolation"])
        assert nodes_of(rows) == {FIRST, SECOND, AGENT}, told(rows)
        for relay in (FIRST, SECOND):
            assert_told(rows, relay, f"answers the discovery of {AGENT} at 8083/udp over IPv4", "nobody")
            assert_told(rows, relay, f"answers the discovery of {AGENT} at 8082/udp over IPv6", "nobody")
        assert_told(rows, AGENT, "looks for relays at each of its", "no relay heard it")
        assert not [row for row in rows if "calls in" in row["expected"]], "it has its relays in memory"


def test_a_relay_with_a_foreign_list_is_seen(conversations: Examined) -> None:
    with file_kept(conversations.lab, FIRST, LIST):
        on(conversations.lab, FIRST, FOREIGN)
        rows = conversations.failures("relay", kept=["isolation"])
        assert nodes_of(rows) == {FIRST, AGENT}, told(rows)
        assert_told(rows, FIRST, f"forwards {AGENT} to", "not-listed")
        assert_told(rows, AGENT, f"while {SECOND} does not serve", "no call-in came")


def test_a_relay_that_is_an_open_proxy_is_seen(conversations: Examined) -> None:
    """It forwards to whatever it is told, to itself too: only that is wrong, and only with this relay; agents live
    through it as ever."""
    lab = conversations
    with patched(lab.lab, SECOND, RELAY, OWN_PORT, [OPEN]):
        rows = lab.failures("relay", kept=["isolation"])
    assert nodes_of(rows) == {SECOND} and len(rows) == 1, told(rows)
    for target in (
        "another port of a listed host",
        "a host that is not listed",
        "an address that is not listed, as IPv6",
    ):
        assert f"({target}" in rows[0]["expected"], told(rows)
    assert_told(rows, SECOND, f"127.0.0.1:{OWN_PORT} (the relay itself): not-listed", "the site answered")
    assert "bad-request" not in rows[0]["expected"], "what is no target is refused as ever"


@contextmanager
def let_in(lab: Examined) -> Iterator[None]:
    """The server gets through the site's firewall to everybody behind it."""
    server = facts.server(lab.topology)
    with ExitStack() as stack:
        for tool, address in zip(TOOLS, (server.ipv4, server.ipv6), strict=True):
            stack.enter_context(firewall_kept(lab.lab, ROUTER, tool))
            on(lab.lab, ROUTER, f"{tool} -I FORWARD 1 -i wan-hq -s {address} -j ACCEPT")
        yield


@contextmanager
def leaking(lab: Examined) -> Iterator[None]:
    """What the agent is about to deliver passes a relay so that it can be read."""
    relay = lab.topology.node(SECOND)
    leak = on(lab.lab, AGENT, LEAK % (relay.ipv4, OWN_PORT)).strip()
    with undone(lab.lab, AGENT, f"kill {leak}"):
        yield


def test_what_relays_and_agents_behind_them_must_not_do_is_seen(conversations: Examined) -> None:
    """One relay keeps what it opened, both start again by themselves, the server gets in and says of a push that fails
    no reason, the agent asks by broadcast only and what it delivers can be read: each is told by its own check."""
    lab, server = conversations, facts.server(conversations.topology).path
    checks = ("ends_both", "stays_stopped", "from_outside", "looked_for", "cannot_read")
    with (
        patched(lab.lab, SECOND, RELAY, OWN_PORT, KEPT),
        patched(lab.lab, FIRST, "cmdagent", AGENT_PORT, [STARTS_AGAIN]),
        patched(lab.lab, SECOND, "cmdagent", AGENT_PORT, [STARTS_AGAIN]),
        patched(lab.lab, server, "miniepo-handler", 443, [UNTOLD]),
        firewall_kept(lab.lab, AGENT, "ip6tables"),
        let_in(lab),
        leaking(lab),
    ):
        on(lab.lab, AGENT, NO_MULTICAST)
        rows = lab.failed_checks(f"test_relay and ({' or '.join(checks)})")
    assert nodes_of(rows) == {SECOND, AGENT} and len(rows) == len(checks), told(rows)
    assert_told(rows, SECOND, "ends its connections when their transfers are over", ":443 ")
    assert_told(rows, AGENT, "stays stopped until it is started", "it was started again")
    assert_told(rows, AGENT, f"{server} does not get its log page at", f"{server}: it answers")
    assert_told(rows, AGENT, "the push failed and that the agent is behind a relay", "Failed: ")
    assert_told(rows, AGENT, "looks for relays at each of its", "times over IPv6")
    assert_told(rows, AGENT, "cannot be read on", "it was, in ")
    assert "over IPv4" not in told([row for row in rows if "looks for relays" in row["expected"]]), told(rows)
    assert_comes_home(lab)


def test_an_agent_that_asks_one_relay_only_for_content_is_seen(conversations: Examined) -> None:
    """All else is well, also its call-ins once its relay is stopped: that check of that agent alone fails."""
    lab = conversations
    with patched(lab.lab, AGENT, "cmdagent", AGENT_PORT, [ONE_RELAY]):
        rows = lab.failures("relay", kept=["isolation"])
    assert nodes_of(rows) == {AGENT} and len(rows) == 1, told(rows)
    assert "while none comes through india/india-relay-" in rows[0]["expected"], told(rows)
    assert "no repository could be used" in rows[0]["observed"], told(rows)


def test_an_agent_that_finds_its_relays_and_gets_through_none_is_seen(conversations: Examined) -> None:
    """Discovery works and the relays are well, but the agent's connections to them are refused: all that it lives by
    is missing, and it alone is named."""
    lab = conversations
    with firewall_kept(lab.lab, AGENT, "iptables"), firewall_kept(lab.lab, AGENT, "ip6tables"):
        on(lab.lab, AGENT, SHUT)
        rows = lab.failed_checks(f"test_relay and not ({' or '.join(DISTURBING)})")
        assert nodes_of(rows) == {AGENT}, told(rows)
        for lost, seen in LIVED_BY:
            assert_told(rows, AGENT, lost, seen)
        assert not [row for row in rows if "looks for relays" in row["expected"]], told(rows)
    assert_comes_home(lab)


def assert_comes_home(conversations: Examined) -> None:
    """The agent calls in to its first handler, through a relay: when it had reached nobody the first that answers
    wins, and the next call-in is to the handler that it prefers."""
    agent, mended = conversations.topology.node(AGENT), conversations.api("miniepo.now")
    first = facts.handler_order(conversations.topology, agent)[0].path

    def home() -> bool:
        calls = conversations.api("miniepo.listCallins", name=agent.fqdn, since=str(mended))
        return bool(calls) and calls[-1]["handler"] == first and bool(calls[-1]["via_relay"])

    assert until(home, PATIENCE_SECONDS), f"{AGENT} does not come back to {first}"


def test_relays_whose_lists_are_too_narrow_are_seen_and_warned_of(conversations: Examined) -> None:
    """A rule that nobody declared leaves the relays one handler where the agent behind them has two: they refuse the
    other one, the server says so in its log, and the agent gets through by the one that all of them have."""
    lab, server = conversations, facts.server(conversations.topology).path
    relays = [lab.topology.node(path) for path in (FIRST, SECOND)]
    declared = [given(row) for row in lab.api("miniepo.listHandlerRules")]
    narrow = {"name": "Narrow", "subnets": [f"{relay.ipv4}/32" for relay in relays], "use": [server]}
    on(lab.lab, server, f": > {SERVER_LOG}")
    with undone(lab.lab, server, shell_text("miniepo.setHandlerRules", {"rules": json.dumps(declared)})):
        lab.api("miniepo.setHandlerRules", rules=json.dumps([narrow, *declared]))
        assert until(lambda: lists_with(lab.lab, "ah-1") == [], PATIENCE_SECONDS)
        rows = lab.failed_checks("test_the_relay_forwards_to or test_the_server_warns or test_the_site_list_names")
        assert nodes_of(rows) == {FIRST, SECOND}, told(rows)
        for relay in (FIRST, SECOND):
            assert_told(rows, relay, "SiteList.xml names the handlers epo.hq.test, then ah-1.dmz.test", "epo.hq.test")
            assert_told(rows, relay, f"forwards {AGENT} to ah-1.dmz.test:443", "not-listed")
        warned = [row for row in rows if "has all handlers of india-pc.india.test in its list" in row["expected"]]
        assert [row["observed"] for row in warned] == ["the server warns that it lacks some"], told(rows)
        assert until(lambda: ", which india-pc.india.test behind it has" in logged(lab.lab, server), PATIENCE_SECONDS)
    assert until(lambda: "no longer: the site list of relay" in logged(lab.lab, server), PATIENCE_SECONDS)
    assert until(lambda: lists_with(lab.lab, "ah-1") == [FIRST, SECOND], PATIENCE_SECONDS)


def lists_with(lab: str, handler: str) -> list[str]:
    """The relays whose site list names a handler."""
    return [relay for relay in (FIRST, SECOND) if handler in on(lab, relay, f"cat {LIST}")]


def logged(lab: str, server: str) -> str:
    """What stands in the server's server.log."""
    return on(lab, server, f"cat {SERVER_LOG}")


def test_relays_that_are_all_stopped_are_seen(conversations: Examined) -> None:
    lab = conversations.lab
    with undone(lab, FIRST, START.format(RELAY)), undone(lab, SECOND, START.format(RELAY)):
        for relay in (FIRST, SECOND):
            on(lab, relay, STOP.format(RELAY))
        rows = conversations.failures("relay", kept=["isolation"])
        # the check of the policy turns one of them off and on, and so brings it back
        assert {FIRST, SECOND} <= nodes_of(rows) <= {FIRST, SECOND, AGENT}, told(rows)
        for relay in (FIRST, SECOND):
            assert_told(rows, relay, f"{relay}: cmamesh serves", "it does not")
    assert until(lambda: listens(lab, SECOND, 8083), PATIENCE_SECONDS)
    assert_comes_home(conversations)
    assert {row["outcome"] for row in conversations.assert_positive("-k", "relay")} == {"passed"}
