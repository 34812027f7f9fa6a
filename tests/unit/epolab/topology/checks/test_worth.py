from collections.abc import Callable

Codes = Callable[[str], list[tuple[int, str]]]

HQ = """epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      vendor: {components: updates}
"""


def branch(agents: int, link: str = "between: [hq, b]") -> str:
    counts = [200] * (agents // 200) + ([agents % 200] if agents % 200 else [])
    nodes = "".join(f"      p{i}: {{components: agent, count: {n}}}\n" for i, n in enumerate(counts))
    lan = "    networks: {lan: {ipv4: 10.64.0.0/16}}\n"
    return f"{HQ}  b:\n{lan}    nodes:\n      sa: {{components: superagent}}\n{nodes}wan: [{{{link}}}]\n"


def test_a_repository_for_few_is_not_worth_its_replication(codes_of: Codes) -> None:
    assert codes_of(branch(199)) == [(10, "repository-not-worth")]


def test_from_350_agents_on_it_pays(codes_of: Codes) -> None:
    assert codes_of(branch(348)) == [(10, "repository-not-worth")]
    assert codes_of(branch(349)) == []


def test_only_the_agents_of_its_segment_count(codes_of: Codes) -> None:
    networks = "    networks: {lan: {ipv4: 10.64.0.0/16}, office: {ipv4: 10.65.0.0/24}}\n"
    nodes = (
        "      sa: {components: superagent, network: lan}\n      pa: {components: agent, count: 198, network: lan}\n"
    )
    far = "      pb: {components: agent, count: 198, network: office}\n"
    assert codes_of(f"{HQ}  b:\n{networks}    nodes:\n{nodes}{far}wan: [{{between: [hq, b]}}]\n") == [
        (10, "repository-not-worth")
    ]


def test_a_repository_beside_the_server_costs_no_line(codes_of: Codes) -> None:
    assert codes_of(HQ + "      sa: {components: superagent}\n") == []
