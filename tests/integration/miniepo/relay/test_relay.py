"""Agents that cannot reach a handler get through relays, found by broadcast and multicast, across real segments."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from miniepo import config
from tests.integration.miniepo.field import Field, open_field, until
from tests.integration.miniepo.segments import Segments, open_segments

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
]

ASK_RELAY = """
import asyncio, sys
from miniepo.protocol.relay_session import Endpoint
from miniepo.wire.stream import connect_through
from miniepo.errors import MiniepoError
relay, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
try:
    asyncio.run(connect_through([Endpoint(relay, 8083)], Endpoint(host, port)))
    print("connected")
except MiniepoError as error:
    print(error)
"""

FIND_RELAYS = """
import asyncio, json, sys
from miniepo.agent.relay_finder import RelayFinder
from miniepo.clock import SystemEntropy
found = asyncio.run(RelayFinder(sys.argv[1], SystemEntropy()).find())
print(json.dumps(sorted(relay.computer_name for relay in found)))
"""


@pytest.fixture
def segments() -> Iterator[Segments]:
    with open_segments() as opened:
        yield opened


@pytest.fixture
def field(tmp_path: Path, database: config.Database) -> Iterator[Field]:
    with open_field(tmp_path, database) as opened:
        yield opened


def inside(namespace: str, program: str, *arguments: str) -> str:
    argv = ["nsenter", f"--net=/run/netns/{namespace}", sys.executable, "-c", program, *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_policy_and_events_pass_through_a_relay_and_the_next_takes_over(segments: Segments, field: Field) -> None:
    field.handler("hq/epo", "10.77.2.10", segments.server, fqdn="epo.field.test")
    first = field.relay("relay-1", segments.relay_1)
    agent = field.agent("pc-1", 8081, segments.pc, listen=["0.0.0.0", "::"])
    status = agent.until(lambda status: status["last_handler"] and status["policy_version"])
    assert status["last_handler"]["via_relay"] == "relay-1"
    second = field.relay("relay-2", segments.relay_2)
    agent.until(lambda status: set(status["relays"]) == {"relay-1", "relay-2"})
    first.kill()
    agent.until(lambda status: status["last_handler"]["via_relay"] == "relay-2", 40)
    agent.ctl("event", "--id", "1092", "--severity", "1", "--text", "through a relay")
    agent.until(lambda status: status["spooled_events"] == 0)
    first.start()
    second.kill()
    agent.until(lambda status: status["last_handler"]["via_relay"] == "relay-1", 40)
    assert "10.77.2.10" in first.text()


def test_an_agent_goes_straight_again_when_it_can(segments: Segments, field: Field) -> None:
    field.handler("hq/epo", "10.77.2.10", segments.server, fqdn="epo.field.test")
    field.relay("relay-1", segments.relay_1)
    agent = field.agent("pc-1", 8081, segments.pc, listen=["0.0.0.0", "::"])
    agent.until(lambda status: status["last_handler"] and status["last_handler"]["via_relay"])
    for namespace, words in (
        (segments.relay_1, ["sysctl", "-qw", "net.ipv4.ip_forward=1"]),
        (segments.pc, ["ip", "route", "replace", "10.77.2.0/24", "via", "10.77.1.21"]),
        (segments.server, ["ip", "route", "replace", "10.77.1.0/24", "via", "10.77.2.21"]),
    ):
        subprocess.run(["nsenter", f"--net=/run/netns/{namespace}", *words], check=True)
    status = agent.until(lambda status: not status["last_handler"]["via_relay"])
    assert status["last_handler"]["address"] == "10.77.2.10"


def test_a_relay_forwards_to_its_own_sites_and_to_nothing_else(segments: Segments, field: Field) -> None:
    field.handler("hq/epo", "10.77.2.10", segments.server, fqdn="epo.field.test")
    https = str(field.sites[0].secure_port)
    relay = field.relay("relay-1", segments.relay_1)
    assert inside(segments.pc, ASK_RELAY, "10.77.1.21", "10.77.2.10", https) == "connected"
    assert inside(segments.pc, ASK_RELAY, "fd77:1::21", "10.77.2.10", https) == "connected"
    for host, port in (("10.77.2.10", "22"), ("10.77.2.22", https), ("127.0.0.1", "8083"), ("::1", "8083")):
        assert "not-listed" in inside(segments.pc, ASK_RELAY, "10.77.1.21", host, port), (host, port)
    (field.folder / "SiteList.xml").write_text("<emptied/>")
    assert "not-listed" in inside(segments.pc, ASK_RELAY, "10.77.1.21", "10.77.2.10", https)
    assert "nothing is forwarded" in relay.text()


def test_relays_are_found_over_either_family_and_by_agents_of_either_age(segments: Segments, field: Field) -> None:
    field.handler("hq/epo", "10.77.2.10", segments.server, fqdn="epo.field.test")
    field.relay("relay-1", segments.relay_1)
    field.relay("relay-2", segments.relay_2)
    both = '["relay-1", "relay-2"]'
    assert inside(segments.pc, FIND_RELAYS, "4.8.0") == both
    assert inside(segments.pc, FIND_RELAYS, "5.6.1") == both
    subprocess.run(["ip", "-n", segments.pc, "-4", "address", "flush", "dev", "eth0"], check=True)
    assert inside(segments.pc, FIND_RELAYS, "4.8.0") == both


def in_namespace(namespace: str, *words: str) -> None:
    subprocess.run(["nsenter", f"--net=/run/netns/{namespace}", *words], check=True)


@pytest.fixture
def many_relays() -> Iterator[Segments]:
    with open_segments(relays=6) as opened:
        yield opened


def test_five_of_six_relays_are_remembered_across_a_restart_where_none_can_be_found(
    many_relays: Segments, field: Field
) -> None:
    segments = many_relays
    field.handler("hq/epo", "10.77.2.10", segments.server, fqdn="epo.field.test")
    for number in range(1, 7):
        field.relay(f"relay-{number}", segments.relay(number))
    agent = field.agent("pc-1", 8081, segments.pc, listen=["0.0.0.0", "::"])
    status = agent.until(lambda status: status["last_handler"] and len(status["relays"]) == 5, 40)
    before = set(status["relays"])
    assert len(set(agent.ctl("discover")["relays"])) == 5
    for tool in ("iptables", "ip6tables"):
        in_namespace(segments.pc, tool, "-I", "OUTPUT", "-p", "udp", "-j", "DROP")
    assert agent.ctl("discover")["relays"] == []
    agent.process.kill()
    agent.process.start()
    status = agent.until(lambda status: status["last_callin_reason"] == "start", 40)
    assert status["last_handler"]["via_relay"] in before and set(status["relays"]) == before


def test_where_udp_is_blocked_no_relay_is_found_until_it_is_not(segments: Segments, field: Field) -> None:
    field.handler("hq/epo", "10.77.2.10", segments.server, fqdn="epo.field.test")
    field.relay("relay-1", segments.relay_1)
    for tool in ("iptables", "ip6tables"):
        in_namespace(segments.relay_1, tool, "-I", "INPUT", "-p", "udp", "-j", "DROP")
    agent = field.agent("pc-1", 8081, segments.pc, listen=["0.0.0.0", "::"])
    until(lambda: "through 0 found relays" in agent.process.text(), 40)
    assert agent.status()["relays"] == [] and not agent.status()["last_handler"]
    in_namespace(segments.relay_1, "iptables", "-F", "INPUT")
    assert agent.until(lambda status: status["last_handler"], 40)["last_handler"]["via_relay"] == "relay-1"


def test_both_connections_end_with_the_transfer(segments: Segments, field: Field) -> None:
    field.handler("hq/epo", "10.77.2.10", segments.server, fqdn="epo.field.test")
    relay = field.relay("relay-1", segments.relay_1)
    agent = field.agent("pc-1", 8081, segments.pc, listen=["0.0.0.0", "::"], asci_seconds=300)
    agent.until(lambda status: status["last_handler"])
    until(lambda: "disconnected from" in relay.text(), what="the relay's disconnect")
    listing = ["nsenter", f"--net=/run/netns/{segments.relay_1}", "ss", "-Htn", "state", "established"]
    until(lambda: not subprocess.run(listing, capture_output=True, text=True).stdout.strip(), 5)
