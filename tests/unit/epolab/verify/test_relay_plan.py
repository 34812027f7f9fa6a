"""What relays are asked: every site of the list that they reach, and what is none of their sites."""

from pathlib import Path

from epolab.model import facts
from epolab.topology import load_text, load_topology
from epolab.verify.relay_plan import allowed, cache_troubles, client_of, discovery_ports, forbidden, narrow_lists

TOPOLOGIES = Path(__file__).parents[4] / "topologies"
TOPOLOGY = load_topology(TOPOLOGIES / "quickstart.yaml")
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
        assert {f"{handler.fqdn.upper()}.:443", f"[::FFFF:{handler.ipv4}]:443"} <= set(targets)


def test_both_families_of_the_relay_are_asked() -> None:
    for asks in (allowed(TOPOLOGY, RELAY), forbidden(TOPOLOGY, RELAY)):
        assert {ask.relay_address for ask in asks} == {str(RELAY.ipv4), str(RELAY.ipv6)}


def test_a_tls_target_is_asked_for_its_name() -> None:
    assert all(ask.tls in {h.fqdn for h in facts.handlers(TOPOLOGY)} for ask in allowed(TOPOLOGY, RELAY) if ask.tls)


def test_nothing_forbidden_is_in_the_list() -> None:
    listed = {f"{h}:{p}" for n in facts.handlers(TOPOLOGY) for h in (n.fqdn, n.ipv4, f"[{n.ipv6}]") for p in (80, 443)}
    targets = {ask.connect for ask in forbidden(TOPOLOGY, RELAY)}
    assert len(targets) == 13
    assert not targets & listed
    assert any(target.startswith("[") for target in targets)


def test_the_discovery_ports_are_those_of_the_policy() -> None:
    assert discovery_ports(TOPOLOGY, RELAY) == [8082, 8083]


NEEDY = TOPOLOGY.node("india/india-pc-1")
NARROW = load_text(
    (TOPOLOGIES / "quickstart.yaml")
    .read_bytes()
    .replace(b"  handlers:\n", b"  handlers:\n    - {group: india/2_Relays, use: hq/epo}\n"),
    "lab.yaml",
).topology


def test_an_agent_remembers_all_relays_that_answer_it() -> None:
    assert cache_troubles(TOPOLOGY, NEEDY, ["india-relay-2", "india-relay-1"]) == []
    for wrong in (["india-relay-1"], [], ["india-relay-1", "other"], ["india-relay-1", "india-relay-1"]):
        ((expected, observed),) = cache_troubles(TOPOLOGY, NEEDY, wrong)
        assert "remembers 2 of the relays india-relay-1, india-relay-2" in expected
        assert observed.startswith("it remembers")


def test_five_of_six_relays_are_to_be_remembered() -> None:
    topology = load_topology(TOPOLOGIES / "relay-failover.yaml")
    node = topology.node("field/field-pc")
    names = [relay.name for relay in facts.relays_for(topology, node)]
    assert len(names) == 6
    assert cache_troubles(topology, node, names[:5]) == cache_troubles(topology, node, names[1:]) == []
    for wrong in (names, names[:4], [*names[:4], names[0]]):
        assert cache_troubles(topology, node, wrong) != []


def row(name: str, relay: str) -> dict[str, str]:
    return {"fqdn": name, "via_relay": relay}


def test_the_server_is_to_warn_of_clients_with_more_handlers_than_the_relay() -> None:
    assert NARROW is not None
    relay, behind = facts.relays(NARROW)[0], {"systems": [row(NEEDY.fqdn, "india-relay-1")]}
    assert narrow_lists(NARROW, relay, {NEEDY.fqdn}, behind) == []
    assert narrow_lists(NARROW, relay, set(), behind) != []
    assert narrow_lists(NARROW, relay, set(), {"systems": [row(NEEDY.fqdn, "india-relay-2")]}) == []
    assert narrow_lists(TOPOLOGY, RELAY, set(), behind) == []
    assert narrow_lists(TOPOLOGY, RELAY, {NEEDY.fqdn}, behind) != []


def test_the_server_is_to_warn_of_the_agents_of_a_swarm_too() -> None:
    text = (
        (TOPOLOGIES / "relay-failover.yaml")
        .read_text()
        .replace("components: [sql, updates]", "components: [sql, updates, handler]")
    )
    rule = "management: {handlers: [{subnet: 10.3.0.0/24, use: [hq/epo]}]}"
    crowd = load_text(text.encode(), "lab.yaml").topology
    assert crowd is not None
    swarm = crowd.node("field/crowd")
    subnets = ", ".join(f"{relay.ipv4}/32" for relay in facts.relays(crowd))
    rule = f"management: {{handlers: [{{subnet: [{subnets}], use: [hq/epo]}}]}}\n"
    narrow = load_text((text + rule).encode(), "lab.yaml").topology
    assert narrow is not None
    relay, agents = facts.relays(narrow)[0], facts.swarm_members(swarm)
    systems = {"systems": [row(name, relay.name) for name in agents]}
    assert narrow_lists(narrow, relay, set(agents), systems) == []
    [(expected, _)] = narrow_lists(narrow, relay, set(agents[1:]), systems)
    assert agents[0] in expected
