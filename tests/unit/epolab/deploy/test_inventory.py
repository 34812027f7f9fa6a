"""The inventory: who gets which roles and variables, and that no secret is among them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from epolab.deploy.digests import node_digest
from epolab.deploy.inventory import Lab, in_order, plan_inventory, roles_of
from epolab.deploy.secrets import ensure_secrets
from epolab.deploy.wheel import Release
from epolab.model import Topology
from epolab.topology import load_topology

TOPOLOGY = Path(__file__).parents[4] / "topologies" / "quickstart.yaml"
MINIMAL = TOPOLOGY.with_name("minimal.yaml")
ROLES = Path(__file__).parents[4] / "roles"


@pytest.fixture(scope="module")
def topology() -> Topology:
    return load_topology(TOPOLOGY)


@pytest.fixture(scope="module")
def lab(topology: Topology, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    folder = tmp_path_factory.mktemp("lab")
    return Lab(
        containers={node.path: f"lab.{node.site}.{node.name}" for node in topology.nodes},
        ssh=folder / "ssh",
        secrets=ensure_secrets(topology, folder),
        release=Release("d1", folder / "miniepo.whl", folder / "release.b64"),
    )


@pytest.fixture(scope="module")
def inventory(topology: Topology, lab: Lab) -> dict[str, Any]:
    return plan_inventory(topology, lab)


def host(inventory: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = inventory["all"]["hosts"][name]
    return found


def test_every_node_is_a_host_reached_through_its_container(topology: Topology, inventory: dict[str, Any]) -> None:
    assert set(inventory["all"]["hosts"]) == {f"{node.site}.{node.name}" for node in topology.nodes}
    arguments = host(inventory, "tokyo.tokyo-pc-1")["ansible_ssh_common_args"]
    assert "ProxyCommand=docker exec -i lab.tokyo.tokyo-pc-1 /usr/sbin/sshd -i" in arguments


def test_nodes_that_others_wait_for_come_first(topology: Topology) -> None:
    names = [node.path for node in in_order(topology)]
    assert names[:3] == ["hq/sql", "hq/epo", "dmz/handler"]


def test_a_node_gets_the_roles_of_its_components(topology: Topology) -> None:
    assert roles_of(topology.node("hq/epo")) == ["base", "firewall", "release", "handler", "server"]
    assert roles_of(topology.node("hq/router")) == ["base", "firewall", "router", "dns"]
    assert roles_of(topology.node("hq/sql")) == ["base", "firewall", "sql"]
    assert roles_of(topology.node("india/india-relay-1")) == ["base", "firewall", "release"]


def test_groups_hold_the_nodes_of_plays(inventory: dict[str, Any]) -> None:
    groups = inventory["all"]["children"]
    assert list(groups["nodes_server"]["hosts"]) == ["hq.epo"]
    assert set(groups["nodes_handler"]["hosts"]) == {"hq.epo", "dmz.handler"}
    assert len(groups["nodes_agent"]["hosts"]) == 9


def test_variables_are_those_that_the_roles_declare(topology: Topology, inventory: dict[str, Any]) -> None:
    declared = set()
    for role in ROLES.iterdir():
        for line in (role / "defaults/main.yml").read_text().splitlines():
            if line and not line.startswith(("#", " ")):
                declared.add(line.partition(":")[0])
    for name, variables in inventory["all"]["hosts"].items():
        own = {key for key in variables if not key.startswith(("ansible_", "node_", "mitogen_"))}
        assert own - declared == set(), name


def test_no_secret_is_a_variable(lab: Lab, inventory: dict[str, Any]) -> None:
    text = json.dumps(inventory)
    secret = [path for path in lab.secrets.folder.rglob("*") if path.suffix in {".key", ".password"}]
    assert len(secret) >= 8
    assert [path.name for path in secret if path.read_text().strip() in text] == []


def test_only_the_relay_process_may_answer_on_a_relays_ports(inventory: dict[str, Any]) -> None:
    speakers = host(inventory, "india.india-relay-1")["firewall_speakers"]
    assert [(s["protocol"], s["port"], s["owners"]) for s in speakers] == [
        ("tcp", 8083, ["cmamesh"]),
        ("udp", 8083, ["cmamesh"]),
    ]
    assert host(inventory, "india.india-pc-1")["firewall_speakers"] == []


def test_a_router_is_open_to_itself_and_filters_what_it_forwards(inventory: dict[str, Any]) -> None:
    router = host(inventory, "india.router")
    assert router["firewall_closed"] is False
    assert router["router_default"] == "deny"
    assert [rule["action"] for rule in router["router_rules"]] == ["allow", "allow"]
    assert router["router_wan_interfaces"] == ["wan-hq"]
    assert host(inventory, "india.india-pc-1")["firewall_closed"] is True


def test_a_router_behind_nat_hides_the_networks_of_its_site(tmp_path: Path) -> None:
    conversations = load_topology(TOPOLOGY.with_name("conversations.yaml"))
    lab = Lab(
        {node.path: node.path for node in conversations.nodes},
        tmp_path / "ssh",
        ensure_secrets(conversations, tmp_path),
        Release("d1", tmp_path / "miniepo.whl", tmp_path / "release.b64"),
    )
    inventory = plan_inventory(conversations, lab)
    (lan,) = conversations.site("lyon").segments
    router = host(inventory, "lyon.router")
    assert (router["router_nat"], router["router_networks_v4"], router["router_networks_v6"]) == (
        True,
        [str(lan.ipv4)],
        [str(lan.ipv6)],
    )
    assert [(each["interface"], each["v4"]) for each in router["firewall_hidden"]] == [("wan-hq", str(lan.ipv4))]
    for other in ("hq.router", "lyon.lyon-pc"):
        assert host(inventory, other)["firewall_hidden"] == []
    assert host(inventory, "hq.router")["router_nat"] is False


def test_only_server_and_handlers_may_connect_to_the_database(topology: Topology, inventory: dict[str, Any]) -> None:
    allowed = [topology.node(path) for path in ("hq/epo", "dmz/handler")]
    cidrs = {f"{node.ipv4}/32" for node in allowed} | {f"{node.ipv6}/128" for node in allowed}
    assert set(host(inventory, "hq.sql")["sql_clients"]) == cidrs


def test_an_agent_starts_with_its_handlers_in_its_own_order(inventory: dict[str, Any]) -> None:
    tokyo = [site["host"] for site in host(inventory, "tokyo.tokyo-pc-1")["agent_handlers"]]
    india = [site["host"] for site in host(inventory, "india.india-pc-1")["agent_handlers"]]
    assert tokyo == ["handler.dmz.test", "epo.hq.test"]
    assert india == ["epo.hq.test", "handler.dmz.test"]


def test_the_vendor_is_known_under_its_alias(topology: Topology, inventory: dict[str, Any]) -> None:
    vendor = str(topology.node("internet/vendor").ipv4)
    [entry] = [entry for entry in host(inventory, "hq.router")["dns_hosts"] if entry["address"] == vendor]
    assert entry["names"] == ["vendor.internet.test", "update.nai.com"]


def test_an_agent_that_leaves_makes_the_server_due(lab: Lab, tmp_path: Path) -> None:
    """What the server manages is among its inputs, so that it runs again and forgets the agent."""

    def server_digest(file: Path) -> str:
        topology = load_topology(file)
        secrets = ensure_secrets(topology, lab.ssh.parent)
        containers = {node.path: node.path for node in topology.nodes}
        variables = plan_inventory(topology, replace(lab, containers=containers, secrets=secrets))
        return node_digest(host(variables, "hq.epo"), "container", "roles")

    fewer, more = MINIMAL, tmp_path / "minimal.yaml"
    more.write_text(f"{fewer.read_text()}      pc-2: {{components: [agent]}}\n")
    lab.ssh.mkdir()
    for file in (lab.release.archive, lab.ssh / "id_ed25519"):
        file.write_bytes(b"the same for both")
    assert server_digest(fewer) == server_digest(fewer) != server_digest(more)
