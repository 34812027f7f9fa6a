"""Rules choose handlers by group and subnet, in priority; the site list says so to the agent (domain §4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from miniepo.protocol import sitelist
from miniepo.server.assignment import Fallback, Place, choose_handlers, site_list
from miniepo.store.handlers import Handler, HandlerGroup, Rule
from miniepo.store.repositories import Repository

THEN = datetime(2026, 1, 1, tzinfo=UTC)


def handler(id: int, name: str, enabled: bool = True) -> Handler:
    short = name.partition("/")[2]
    return Handler(
        id, name, short, f"{short}.test", f"10.0.0.{id}", f"fd00::{id}", "5.9.1", 80, 443, id == 1, enabled, 0, THEN
    )


EPO, AH, OFF = handler(1, "hq/epo"), handler(2, "dmz/ah"), handler(3, "x/off", enabled=False)
ALL = [EPO, AH, OFF]
DEFAULT = Rule(99, "Default rule", None, [], True, [])
TOKYO = Place(frozenset({5, 2}), ("10.1.0.7", "fd00:1::7"))


ELSEWHERE = Place(frozenset({9}), ())
AH2 = handler(4, "dmz/ah2")
DMZ = HandlerGroup("DMZ", False, ["dmz/ah2", "dmz/ah"])


def rule(priority: int, use: list[str], group: int | None = None, subnets: tuple[str, ...] = ()) -> Rule:
    return Rule(priority, f"rule {priority}", group, list(subnets), not use, use)


def chosen(
    rules: list[Rule], place: Place = TOKYO, groups: Sequence[HandlerGroup] = (), handlers: Sequence[Handler] = ALL
) -> list[list[str]]:
    """The names of the handlers, tier by tier."""
    return [[each.name for each in tier] for tier in choose_handlers(rules, groups, place, handlers)]


def test_the_default_rule_uses_all_enabled_handlers_as_equals() -> None:
    assert chosen([DEFAULT]) == chosen([]) == [["hq/epo", "dmz/ah"]]


def test_a_custom_list_is_tried_in_its_order() -> None:
    assert chosen([rule(1, ["dmz/ah", "hq/epo"])]) == [["dmz/ah"], ["hq/epo"]]


def test_a_rule_for_a_group_holds_for_the_groups_below() -> None:
    given = [DEFAULT, rule(1, ["dmz/ah"], group=2)]
    assert chosen(given) == [["dmz/ah"]]
    assert chosen(given, ELSEWHERE) == [["hq/epo", "dmz/ah"]]


def test_a_rule_for_subnets_holds_in_either_family_and_for_each_of_them() -> None:
    for subnets in (("10.1.0.0/24",), ("fd00:1::/64",), ("10.9.0.0/24", "10.1.0.0/24")):
        assert chosen([rule(1, ["dmz/ah"], subnets=subnets), DEFAULT]) == [["dmz/ah"]]
    assert chosen([rule(1, ["dmz/ah"], subnets=("10.2.0.0/24",)), rule(2, ["hq/epo"])]) == [["hq/epo"]]


def test_of_a_group_and_subnets_both_must_hold() -> None:
    both = rule(1, ["dmz/ah"], group=5, subnets=("10.1.0.0/24",))
    assert chosen([both, rule(2, ["hq/epo"])]) == [["dmz/ah"]]
    assert chosen([both, rule(2, ["hq/epo"])], Place(frozenset({9}), TOKYO.addresses)) == [["hq/epo"]]
    assert chosen([both, rule(2, ["hq/epo"])], Place(TOKYO.group_ids, ("10.8.0.1",))) == [["hq/epo"]]


def test_the_first_priority_wins_and_the_default_rule_is_last_whatever_its_priority() -> None:
    first, second = rule(2, ["hq/epo"], group=5), rule(3, ["dmz/ah"], group=5)
    assert chosen([second, first]) == [["hq/epo"]]
    assert chosen([rule(1, ["dmz/ah"]), first]) == [["hq/epo"]]


def test_a_group_of_handlers_stands_for_its_members_in_order_or_as_equals() -> None:
    handlers = [*ALL, AH2]
    assert chosen([rule(1, ["DMZ", "hq/epo"])], groups=[DMZ], handlers=handlers) == [
        ["dmz/ah2"],
        ["dmz/ah"],
        ["hq/epo"],
    ]
    spread = HandlerGroup("DMZ", True, ["dmz/ah2", "dmz/ah", "x/off"])
    assert chosen([rule(1, ["DMZ", "hq/epo"])], groups=[spread], handlers=handlers) == [
        ["dmz/ah2", "dmz/ah"],
        ["hq/epo"],
    ]


def test_a_handler_may_be_in_several_groups_and_is_tried_where_it_is_named_first() -> None:
    other = HandlerGroup("Asia", True, ["dmz/ah", "hq/epo"])
    found = chosen([rule(1, ["dmz/ah", "DMZ", "Asia"])], groups=[DMZ, other], handlers=[*ALL, AH2])
    assert found == [["dmz/ah"], ["dmz/ah2"], ["hq/epo"]]


def test_no_agent_is_left_without_a_handler() -> None:
    assert chosen([rule(1, ["gone", "x/off"], group=2), rule(2, ["dmz/ah"])]) == [["dmz/ah"]]
    assert chosen([rule(1, ["gone"])]) == [["hq/epo", "dmz/ah"]]
    assert chosen([DEFAULT], Place(frozenset(), ("", "nonsense"))) == [["hq/epo", "dmz/ah"]]
    assert chosen([DEFAULT], handlers=[OFF]) == []


def repository() -> Repository:
    return Repository(7, "ePOSA_SA-1", "SuperAgent", 3, 8081, True, 0, None, "", "sa-1.test", "10.1.0.9", "", "sa-1")


def test_the_list_has_handlers_then_mirrors_then_the_fallback() -> None:
    file = site_list("EPO", ((AH,), (EPO,)), [repository()], Fallback("update.nai.com", 80, "Products/CommonUpdater"))
    parsed = sitelist.parse(file.xml)
    assert [(site.kind, site.name, site.order) for site in parsed.sites] == [
        ("SpipeSite", "ePO_AH", 1),
        ("SpipeSite", "ePO_EPO", 2),
        ("SuperAgentSite", "ePOSA_SA-1", 3),
        ("HttpSite", "McAfeeHttp", 4),
    ]
    assert parsed.version == file.version


def test_handlers_of_equal_rank_share_their_order() -> None:
    parsed = sitelist.parse(site_list("EPO", ((EPO, AH), (AH2,)), [repository()], None).xml)
    assert [(site.name, site.order) for site in parsed.sites] == [
        ("ePO_EPO", 1),
        ("ePO_AH", 1),
        ("ePO_AH2", 2),
        ("ePOSA_SA-1", 3),
    ]


def test_the_version_changes_with_the_content_only() -> None:
    ordered = site_list("EPO", ((EPO,), (AH,)), [], None).version
    assert ordered == site_list("EPO", ((EPO,), (AH,)), [], None).version
    assert ordered != site_list("EPO", ((AH,), (EPO,)), [], None).version
    assert ordered != site_list("EPO", ((EPO, AH),), [], None).version
