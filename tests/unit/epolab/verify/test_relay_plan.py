"""What relays are asked: every site of the list that they reach, and what is none of their sites."""

from pathlib import Path

from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.relay_plan import allowed, client_of, discovery_ports, forbidden

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")
RELAY = facts.relays(TOPOLOGY)[0]


def test_the_client_is_an_agent_that_needs_the_relay() -> None:
    assert client_of(TOPOLOGY, RELAY).path == "india/india-pc-1"


def test_a_client_that_does_not_run_is_asked_only_where_there_is_nobody_else() -> None:
    assert client_of(TOPOLOGY, RELAY, {"india/india-pc-1": "exited"}).path == "india/india-pc-2"
    everybody = {node.path for node in facts.relay_clients(TOPOLOGY, RELAY)}
    assert client_of(TOPOLOGY, RELAY, everybody).path in everybody


def test_every_handler_is_asked_for_by_name_and_by_both_addresses() -> None:
    targets = [ask.connect for ask in allowed(TOPOLOGY, RELAY)]
    for handler in facts.handlers(TOPOLOGY):
        assert {f"{handler.fqdn}:443", f"[{handler.ipv6}]:443", f"{handler.ipv4}:80"} <= set(targets)


def test_both_families_of_the_relay_are_asked() -> None:
    for asks in (allowed(TOPOLOGY, RELAY), forbidden(TOPOLOGY, RELAY)):
        assert {ask.relay_address for ask in asks} == {str(RELAY.ipv4), str(RELAY.ipv6)}


def test_a_tls_target_is_asked_for_its_name() -> None:
    assert all(ask.tls in {h.fqdn for h in facts.handlers(TOPOLOGY)} for ask in allowed(TOPOLOGY, RELAY) if ask.tls)


def test_nothing_forbidden_is_in_the_list() -> None:
    listed = {f"{h}:{p}" for n in facts.handlers(TOPOLOGY) for h in (n.fqdn, n.ipv4, f"[{n.ipv6}]") for p in (80, 443)}
    targets = {ask.connect for ask in forbidden(TOPOLOGY, RELAY)}
    assert len(targets) == 6
    assert not targets & listed
    assert any(target.startswith("[") for target in targets)


def test_the_discovery_ports_are_those_of_the_policy() -> None:
    assert discovery_ports(TOPOLOGY, RELAY) == [8082, 8083]
