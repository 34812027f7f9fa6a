from collections.abc import Callable

from epolab.topology.draft import Draft

LAB = """
epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, handler, sql]}
      pc: {components: agent, count: 3}
  branch:
    nodes:
      gate: {components: [router, dns]}
      sa: {components: [repository]}
      rel: {components: [relay, superagent]}
"""


def test_counts_and_shorthand_are_expanded(draft_of: Callable[[str], Draft]) -> None:
    draft = draft_of(LAB)
    assert {node.path: node.components for node in draft.nodes} == {
        "hq/router": ("router", "dns"),
        "hq/epo": ("server", "sql"),
        "hq/pc-1": ("agent",),
        "hq/pc-2": ("agent",),
        "hq/pc-3": ("agent",),
        "branch/gate": ("router", "dns"),
        "branch/sa": ("agent", "superagent", "repository"),
        "branch/rel": ("agent", "relay", "superagent"),
    }


def test_references_stand_for_nodes(draft_of: Callable[[str], Draft]) -> None:
    draft = draft_of(LAB)
    assert [n.path for n in draft.expand("hq/pc")] == ["hq/pc-1", "hq/pc-2", "hq/pc-3"]
    assert [n.path for n in draft.expand("hq/pc-2")] == ["hq/pc-2"]
    assert [n.path for n in draft.expand("sa")] == ["branch/sa"]
    assert [n.path for n in draft.expand("sa", "hq")] == []
    assert draft.expand("nobody") == ()


def test_ends_of_firewall_rules(draft_of: Callable[[str], Draft]) -> None:
    draft = draft_of(LAB)
    assert draft.ends("any", "hq") == ("any",)
    assert draft.ends("branch", "hq") == ("branch",)
    assert draft.ends("pc", "hq") == ("hq/pc-1", "hq/pc-2", "hq/pc-3")
    assert draft.ends("pc", "branch") == ()


def test_each_written_node_is_there_once(draft_of: Callable[[str], Draft]) -> None:
    assert [n.name for n in draft_of(LAB).written_nodes] == ["router", "epo", "pc-1", "gate", "sa", "rel"]


def test_a_component_is_where_it_or_what_implies_it_was_written(draft_of: Callable[[str], Draft]) -> None:
    node = draft_of(LAB).by_path["branch/rel"]
    assert node.place_of("superagent").column > node.place_of("relay").column
    assert node.place_of("agent") == node.place_of("relay")
    assert node.place_of("server") == node.place
