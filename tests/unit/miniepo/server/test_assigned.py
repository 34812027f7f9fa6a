"""What a system shall have follows from its group, its ancestors and its addresses."""

from __future__ import annotations

from datetime import UTC, datetime

from miniepo.protocol import sitelist
from miniepo.server.assigned import Declared
from miniepo.server.assignment import Fallback
from miniepo.store.groups import Group
from miniepo.store.handlers import Handler, HandlerGroup, Rule
from miniepo.store.policies import PolicyAssignment
from miniepo.store.systems import System


def system(group_id: int, address: str) -> System:
    return System(
        id=7, group_id=group_id, group_path="", name="pc-1", guid="G", version="4.8.0", last_update=None,
        public_key="k", props_version="", policy_version="", tasks_version="", sitelist_version="", problems="",
        last_wakeup_id=None, via_relay=None, remote_address="", computer_name="pc-1", fqdn="pc-1.test", address="",
        ipv6="", last_handler_id=None, properties={"IPAddress": address},
    )  # fmt: skip


def declared() -> Declared:
    then = datetime(2026, 1, 1, tzinfo=UTC)
    handlers = [
        Handler(1, "hq/epo", "epo", "epo.test", "10.0.0.1", "", "5.9.1", 80, 443, True, True, 0, then),
        Handler(2, "dmz/ah", "ah", "ah.test", "10.0.0.2", "", "5.9.1", 80, 443, False, True, 0, then),
    ]
    return Declared(
        groups={2: Group(2, None, "My Organization", ""), 5: Group(5, 2, "tokyo", ""), 6: Group(6, 5, "relays", "")},
        policies=[PolicyAssignment(5, None, 1, "agent", "tokyo", {}), PolicyAssignment(2, None, 2, "agent", "all", {})],
        tasks=[],
        rules=[Rule(1, "near", None, ["10.7.0.0/16"], False, ["DMZ"]), Rule(2, "all", None, [], True, [])],
        handler_groups=[HandlerGroup("DMZ", False, ["dmz/ah"])],
        handlers=handlers,
        repositories=[],
        server_name="EPO",
        fallback=Fallback("update.nai.com", 80, "Products/CommonUpdater"),
    )


def test_lineage_runs_up_to_the_root() -> None:
    assert declared().lineage(6) == (6, 5, 2)
    assert declared().lineage(99) == ()


def test_group_and_address_decide() -> None:
    inside = declared().for_system(system(6, "10.7.1.1"))
    outside = declared().for_system(system(2, "10.8.1.1"))
    assert [policy.name for policy in inside.policies.policies] == ["tokyo"]
    assert [policy.name for policy in outside.policies.policies] == ["all"]
    assert [site.host for site in sitelist.parse(inside.sitelist.xml).handlers] == ["ah.test"]
    assert [site.host for site in sitelist.parse(outside.sitelist.xml).handlers] == ["epo.test", "ah.test"]
