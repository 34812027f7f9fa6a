"""Rules choose handlers by group and subnet, in priority; the site list says so to the agent (domain §4)."""

from __future__ import annotations

from datetime import UTC, datetime

from miniepo.protocol import sitelist
from miniepo.server.assignment import Fallback, Place, choose_handlers, site_list
from miniepo.store.handlers import Handler, Rule
from miniepo.store.repositories import Repository

THEN = datetime(2026, 1, 1, tzinfo=UTC)


def handler(id: int, name: str, enabled: bool = True) -> Handler:
    short = name.partition("/")[2]
    return Handler(
        id, name, short, f"{short}.test", f"10.0.0.{id}", f"fd00::{id}", "5.9.1", 80, 443, id == 1, enabled, 0, THEN
    )


EPO, AH, OFF = handler(1, "hq/epo"), handler(2, "dmz/ah"), handler(3, "x/off", enabled=False)
ALL = [EPO, AH, OFF]
DEFAULT = Rule(99, None, None, True, [])
TOKYO = Place(frozenset({5, 2}), ("10.1.0.7", "fd00:1::7"))


def test_the_default_rule_uses_all_enabled_handlers() -> None:
    assert choose_handlers([DEFAULT], TOKYO, ALL) == (EPO, AH)
    assert choose_handlers([], TOKYO, ALL) == (EPO, AH)


def test_a_rule_for_a_group_holds_for_the_groups_below() -> None:
    rule = Rule(1, 2, None, False, ["dmz/ah", "hq/epo"])
    assert choose_handlers([DEFAULT, rule], TOKYO, ALL) == (AH, EPO)
    assert choose_handlers([DEFAULT, rule], Place(frozenset({9}), ()), ALL) == (EPO, AH)


def test_a_rule_for_a_subnet_holds_in_either_family() -> None:
    for subnet in ("10.1.0.0/24", "fd00:1::/64"):
        assert choose_handlers([Rule(1, None, subnet, False, ["dmz/ah"]), DEFAULT], TOKYO, ALL) == (AH,)
    assert choose_handlers([Rule(1, None, "10.2.0.0/24", False, ["dmz/ah"]), DEFAULT], TOKYO, ALL) == (EPO, AH)


def test_both_conditions_must_hold_and_the_first_priority_wins() -> None:
    both = Rule(1, 9, "10.1.0.0/24", False, ["dmz/ah"])
    assert choose_handlers([both, DEFAULT], TOKYO, ALL) == (EPO, AH)
    first, second = Rule(1, 5, None, False, ["hq/epo"]), Rule(2, 5, None, False, ["dmz/ah"])
    assert choose_handlers([second, first], TOKYO, ALL) == (EPO,)


def test_no_agent_is_left_without_a_handler() -> None:
    assert choose_handlers([Rule(1, None, None, False, ["gone", "x/off"])], TOKYO, ALL) == (EPO, AH)
    assert choose_handlers([DEFAULT], Place(frozenset(), ("", "nonsense")), ALL) == (EPO, AH)


def repository() -> Repository:
    return Repository(7, "ePOSA_SA-1", "SuperAgent", 3, 8081, True, 0, None, "", "sa-1.test", "10.1.0.9", "", "sa-1")


def test_the_list_has_handlers_then_mirrors_then_the_fallback() -> None:
    file = site_list("EPO", (AH, EPO), [repository()], Fallback("update.nai.com", 80, "Products/CommonUpdater"))
    parsed = sitelist.parse(file.xml)
    assert [(site.kind, site.name, site.order) for site in parsed.sites] == [
        ("SpipeSite", "ePO_AH", 1),
        ("SpipeSite", "ePO_EPO", 2),
        ("SuperAgentSite", "ePOSA_SA-1", 3),
        ("HttpSite", "McAfeeHttp", 4),
    ]
    assert parsed.version == file.version


def test_the_version_changes_with_the_content_only() -> None:
    assert site_list("EPO", (EPO, AH), [], None).version == site_list("EPO", (EPO, AH), [], None).version
    assert site_list("EPO", (EPO, AH), [], None).version != site_list("EPO", (AH, EPO), [], None).version
