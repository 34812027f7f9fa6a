"""A relay's list should cover its clients'; whose it does not cover is named."""

from dataclasses import replace

from miniepo.protocol.sitelist import SiteList
from miniepo.server.relay_lists import RelayWarning, relay_warnings
from miniepo.store.systems import System
from tests.unit.miniepo.server.test_assigned import system
from tests.unit.miniepo.standins import HANDLER, SECOND, SUPERAGENT

BOTH = SiteList("EPO", "1", (HANDLER, SECOND, SUPERAGENT))
ONE = SiteList("EPO", "1", (replace(HANDLER, host="EPO.hq.test", order=7), SUPERAGENT))


def relay(number: int, name: str = "relay", address: str = "10.3.0.1") -> System:
    made = replace(system(1, address), id=number, computer_name=name, fqdn=f"{name}-{number}.test", address=address)
    return replace(made, properties={"Relay.Enabled": "1"})


def client(number: int, via: str | None = "relay", remote: str = "10.3.0.1") -> System:
    return replace(system(1, "10.3.0.9"), id=number, fqdn=f"pc-{number}.test", via_relay=via, remote_address=remote)


def warned(systems: list[System], lists: dict[int, SiteList]) -> list[RelayWarning]:
    return relay_warnings(systems, lambda each: lists[each.id])


def test_a_list_that_lacks_a_clients_site_is_told_with_its_name() -> None:
    found = warned([relay(1), client(11)], {1: ONE, 11: BOTH})
    assert found == [RelayWarning("relay-1.test", "pc-11.test", ("ePO_AH",))]
    assert found[0].text == (
        "the site list of relay relay-1.test lacks ePO_AH, which pc-11.test behind it has in its own"
    )


def test_the_same_or_more_is_enough_in_any_order_and_case() -> None:
    assert warned([relay(1), client(11)], {1: BOTH, 11: BOTH}) == []
    assert warned([relay(1), client(11)], {1: BOTH, 11: ONE}) == []


def test_a_site_that_the_relay_has_disabled_is_missing() -> None:
    off = SiteList("EPO", "1", (HANDLER, replace(SECOND, enabled=False), SUPERAGENT))
    assert warned([relay(1), client(11)], {1: off, 11: BOTH})[0].missing == ("ePO_AH",)
    assert warned([relay(1), client(11)], {1: ONE, 11: off}) == []


def test_only_clients_of_this_relay_count() -> None:
    lists = {1: ONE, 2: BOTH, 11: BOTH}
    assert warned([relay(1), client(11, via=None)], lists) == []
    assert warned([relay(1), relay(2, "other"), client(11, via="other")], lists) == []


def test_of_relays_of_one_name_the_address_tells_which() -> None:
    twins = [relay(1, address="10.3.0.1"), relay(2, address="10.4.0.1")]
    lists = {1: ONE, 2: BOTH, 11: BOTH}
    assert warned([*twins, client(11, remote="10.4.0.1")], lists) == []
    assert [each.relay for each in warned([*twins, client(11, remote="10.3.0.1")], lists)] == ["relay-1.test"]
    assert [each.relay for each in warned([*twins, client(11, remote="192.0.2.1")], lists)] == ["relay-1.test"]


def test_who_is_no_relay_any_more_has_no_clients() -> None:
    former = replace(relay(1), properties={"Relay.Enabled": "0"})
    assert warned([former, client(11)], {1: ONE, 11: BOTH}) == []
