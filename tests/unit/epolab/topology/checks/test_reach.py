from collections.abc import Callable

from epolab.topology import load_text

Codes = Callable[[str], list[tuple[int, str]]]

HQ = """epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      vendor: {components: updates}
"""


def severities_of(text: str) -> list[str]:
    return [problem.severity for problem in load_text(text.encode(), "lab.yaml").problems]


def far(nodes: str, *rules: str, default: str = "deny") -> str:
    told = "".join(f"        - {rule}\n" for rule in rules)
    firewall = f"    firewall:\n      default: {default}\n      rules:\n{told}" if rules else ""
    return f"{HQ}  far:\n    nodes:\n{nodes}{firewall}wan: [{{between: [hq, far]}}]\n"


PC = "      pc: {components: agent}\n"
REL = "      rel: {components: relay}\n"
OUT = "allow: {from: rel, to: hq}"
IN = "allow: {from: hq, to: rel}"


def test_an_agent_reaches_a_handler_itself_or_by_a_relay(codes_of: Codes) -> None:
    assert codes_of(far(PC)) == []
    assert codes_of(far(PC, "deny: {to: pc}")) == [(9, "agent-cut-off")]
    assert codes_of(far(PC + REL, OUT, IN)) == []
    assert codes_of(far(PC + REL, "deny: {from: rel}")) == [(9, "agent-cut-off"), (10, "relay-cut-off")]


def test_an_agent_that_is_not_called_from_outside_is_a_warning(codes_of: Codes) -> None:
    found = codes_of(far(PC, "allow: {from: pc, to: hq}"))
    assert found == [(9, "wakeup-barred")]


def test_a_relay_has_all_handlers_of_its_clients(codes_of: Codes) -> None:
    handlers = "management: {handlers: [{group: far/2_Relays, use: hq/epo}]}\n"
    lab = far(PC + REL, OUT, IN).replace("updates}\n", "updates}\n      ah: {components: handler}\n")
    assert codes_of(lab) == []
    assert codes_of(lab + handlers) == [(11, "relay-list")]
    assert severities_of(lab + handlers) == ["warning"], "the handler that both have is left"
    apart = "management: {handlers: [{group: far/2_Relays, use: hq/epo}, {group: far, use: hq/ah}]}\n"
    assert severities_of(lab + apart) == ["error"]


def test_a_handler_needs_the_database_and_the_server(codes_of: Codes) -> None:
    handler = "      ah: {components: handler}\n"
    assert codes_of(far(handler)) == []
    assert codes_of(far(handler, "allow: {to: hq, ports: [443, 8444]}")) == [(9, "handler-without-sql")]
    assert codes_of(far(handler, "allow: {to: hq, ports: [443, 5432]}")) == [(9, "handler-without-server")]
    assert codes_of(far(handler, "allow: {to: hq, ports: [5432]}")) == [(9, "handler-without-server")]


def test_the_server_reaches_repositories_and_the_vendor(codes_of: Codes) -> None:
    repository = "      sa: {components: superagent}\n"
    worth = (9, "repository-not-worth")
    assert codes_of(far(repository)) == [worth]
    assert codes_of(far(repository, "deny: {to: sa, ports: 8081}", default="allow")) == [
        (9, "repository-cut-off"),
        worth,
    ]
    moved = far("      vendor: {components: updates}\n", "deny: {}").replace(
        "      vendor: {components: updates}\n", "", 1
    )
    assert codes_of(moved) == [(8, "updates-cut-off")]


def test_every_site_has_a_name_server_in_reach(codes_of: Codes) -> None:
    router = "      gate: {components: router}\n"
    assert codes_of(far(router)) == []
    assert codes_of(far(router + PC, "allow: {to: hq, protocol: tcp}", IN.replace("rel", "pc"))) == [(10, "no-dns")]
    assert codes_of(HQ + router) == [(7, "no-dns")]


def test_a_relay_listens_where_the_agents_behind_it_ask(codes_of: Codes) -> None:
    ports = "policies: [{name: P, category: relay, settings: {enabled: true, discoveryPorts: [8082]}}]"
    given = f"management: {{{ports}, assignments: [{{policy: P, system: far/rel}}]}}\n"
    lab = far(PC + REL, OUT, IN) + given
    assert codes_of(lab) == [(9, "relay-deaf")]
    assert codes_of(lab.replace("{components: agent}", "{components: agent, version: 5.0.0}")) == []
    assert codes_of(far(PC + REL) + given) == []


def test_a_relay_by_policy_is_a_way_like_any_other(codes_of: Codes) -> None:
    policies = "policies: [{name: P, category: relay, settings: {enabled: true}}]"
    given = f"management: {{{policies}, assignments: [{{policy: P, system: far/rel}}]}}\n"
    plain = far(PC + REL.replace("relay", "agent"), OUT, IN)
    assert codes_of(plain) == [(9, "agent-cut-off")]
    assert codes_of(plain + given) == []


def test_a_relay_on_two_networks_serves_its_first(codes_of: Codes) -> None:
    networks = "    networks: {one: {ipv4: 10.8.0.0/24}, two: {ipv4: 10.9.0.0/24}}\n"
    both, far_pc = "      rel: {components: relay, network: [one, two]}\n", PC.replace("agent}", "agent, network: two}")
    lab = far(far_pc + both, OUT, IN).replace("  far:\n", f"  far:\n{networks}")
    assert codes_of(lab) == [(10, "relay-deaf")]
    assert codes_of(lab.replace("[one, two]", "[two, one]")) == []


def test_a_swarm_needs_a_way_straight_or_through_a_relay(codes_of: Codes) -> None:
    crowd = "      crowd: {swarm: 100}\n"
    assert codes_of(far(crowd)) == []
    assert codes_of(far(crowd + REL, OUT, IN)) == []
    assert codes_of(far(crowd + PC)) == []
    assert codes_of(far(crowd + PC, "deny: {to: pc}")) == [(9, "swarm-cut-off"), (10, "agent-cut-off")]


NAT = "    nat: true\n"


def test_agents_behind_nat_are_well_without_being_called(codes_of: Codes) -> None:
    assert codes_of(far(PC + NAT)) == []


def test_what_others_need_is_not_behind_nat(codes_of: Codes) -> None:
    assert codes_of(far("      sa: {components: superagent}\n" + NAT)) == [
        (9, "repository-cut-off"),
        (9, "repository-not-worth"),
    ]
    handler = "      ah: {components: handler}\n" + PC
    assert codes_of(far(handler + NAT)) == []
    assert codes_of(far(handler + NAT).replace("vendor:", "pc-1: {components: agent}\n      vendor:")) == [
        (10, "handler-behind-nat")
    ]


def test_a_superagent_that_nobody_calls_is_a_warning_also_without_a_repository(codes_of: Codes) -> None:
    policies = "policies: [{name: P, category: superagent, settings: {enabled: true, repository: false}}]"
    given = f"management: {{{policies}, assignments: [{{policy: P, system: far/pc}}]}}\n"
    assert codes_of(far(PC) + given) == []
    assert codes_of(far(PC + NAT) + given) == [(9, "superagent-not-called")]
    assert codes_of(far(PC, "deny: {to: pc, ports: 8081}", default="allow") + given) == [(9, "superagent-not-called")]
    assert severities_of(far(PC + NAT) + given) == ["warning"]
    own = far(PC + NAT).replace("pc: {", "ah: {components: handler}\n      pc: {", 1)
    assert codes_of(own + given.replace("management: {", "management: {handlers: [{group: far, use: far/ah}], ")) == []


def test_a_repository_that_no_handler_calls_is_a_warning_too(codes_of: Codes) -> None:
    repository = "      sa: {components: superagent}\n"
    only_the_server = "deny: {from: hq/ah, to: sa, ports: 8081}"
    rule = "management: {handlers: [{group: far, use: hq/ah}]}\n"
    lab = far(repository, only_the_server, default="allow") + rule
    lab = lab.replace("updates}\n", "updates}\n      ah: {components: handler}\n", 1)
    assert (10, "superagent-not-called") in codes_of(lab)
