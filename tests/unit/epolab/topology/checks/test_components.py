from collections.abc import Callable

Codes = Callable[[str], list[tuple[int, str]]]

HQ = """epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      vendor: {components: updates}
"""


def test_a_lab_has_one_server_and_one_database(codes_of: Codes) -> None:
    assert codes_of(HQ.replace("[server, sql]", "[sql]")) == [(3, "no-server")]
    assert codes_of(HQ.replace("[server, sql]", "[server]")) == [(3, "no-sql")]
    assert codes_of(HQ + "      sql: {components: sql}\n") == [(7, "two-sqls")]
    assert codes_of(HQ + "      epo2: {components: server}\n") == [(7, "two-servers")]


def test_a_lab_without_updates_is_a_warning(codes_of: Codes) -> None:
    assert codes_of(HQ.replace("      vendor: {components: updates}\n", "")) == [(5, "no-updates")]


def test_two_listeners_of_one_port_need_two_nodes(codes_of: Codes) -> None:
    assert codes_of(HQ + "      ah: {components: [handler, updates]}\n") == [(7, "port-conflict")]
    assert codes_of(HQ.replace("[server, sql]", "[server, sql, agent, dns]")) == []


def test_a_server_needs_no_handler(codes_of: Codes) -> None:
    assert codes_of(HQ.replace("[server, sql]", "[server, sql, handler]")) == [(5, "handler-built-in")]


def test_a_relay_needs_version_4_8(codes_of: Codes) -> None:
    for version, codes in (("4.8", []), ("4.8.1", []), ("5.0.0", []), ("4.7.9", [(7, "relay-version")])):
        assert codes_of(HQ + f"      rel: {{components: relay, version: {version}}}\n") == codes


def test_a_router_is_no_virtual_machine_and_alone(codes_of: Codes) -> None:
    assert codes_of(HQ + "      gate: {components: [router, dns], kind: vm}\n") == [(7, "not-supported")]
    two = "      gate: {components: [router, dns]}\n      door: {components: router}\n"
    assert codes_of(HQ + two) == [(8, "two-routers")]


def test_keys_of_agents_are_for_agents(codes_of: Codes) -> None:
    assert codes_of(HQ + "      pc: {components: agent, asci: 5s, version: 4.8.0}\n") == []
    assert codes_of(HQ + "      ah: {components: handler, asci: 5s}\n") == [(7, "agent-key")]


def test_a_virtual_machine_has_the_labs_own_image(codes_of: Codes) -> None:
    assert codes_of(HQ + "      pc: {components: agent, kind: vm, image: debian}\n") == [(7, "image-with-vm")]
    assert codes_of(HQ + "      pc: {components: agent, kind: container, image: debian}\n") == []


def test_a_swarm_is_as_many_agents_as_it_says_and_no_roles(codes_of: Codes) -> None:
    assert codes_of(HQ + "      pcs: {swarm: 4000, asci: 60s, version: 5.0.0}\n") == []
    assert codes_of(HQ + "      pcs: {components: [agent, swarm], swarm: 1}\n") == [(7, "swarm-with-agent")]
    assert codes_of(HQ + "      pcs: {components: [swarm]}\n") == [(7, "swarm-number")]
    assert codes_of(HQ + "      pcs: {swarm: 5, count: 2}\n") == [(7, "swarm-with-count")]
    assert codes_of(HQ + "      pcs: {components: relay, swarm: 5}\n") == [(7, "swarm-role")]


def test_a_relay_is_not_on_aix(codes_of: Codes) -> None:
    assert codes_of(HQ + "      rel: {components: relay, platform: Linux}\n") == []
    assert codes_of(HQ + "      rel: {components: relay, platform: AIX}\n") == [(7, "relay-platform")]
