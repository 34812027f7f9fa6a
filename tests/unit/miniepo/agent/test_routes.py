"""Which ways to a handler are tried, and in which order."""

from miniepo.agent.routes import Way, asked_of_relay, discovers, plan, targets, through_relays, tls_port
from miniepo.protocol.discovery import Relay
from miniepo.protocol.relay_session import Endpoint
from miniepo.protocol.sitelist import Site
from tests.unit.miniepo.standins import HANDLER, SECOND

ONE = Relay("G1", "relay-1", 8083, ("10.4.0.1",))
TWO = Relay("G2", "relay-2", 8083, ("10.4.0.2",))
BOTH = (HANDLER.name, SECOND.name)


def labels(ways: tuple[Way, ...]) -> list[str]:
    return [way.label for way in ways]


def test_a_handler_is_tried_by_ip_then_fqdn_then_netbios_name() -> None:
    hosts = [[endpoint.host for endpoint in group] for group in targets(HANDLER)]
    assert hosts == [["10.1.0.10", "fd00:1::10"], ["epo.hq.test"], ["epo"]]
    assert {endpoint.port for group in targets(HANDLER) for endpoint in group} == {443}


def test_a_list_without_addresses_leaves_the_names() -> None:
    bare = Site("SpipeSite", "x", "master", 1, "epo.hq.test", 80)
    assert targets(bare) == ((Endpoint("epo.hq.test", 443),),)
    assert asked_of_relay(bare, 443) == (Endpoint("epo.hq.test", 443),)
    assert tls_port(bare) == 443


def test_a_relay_is_asked_for_the_ip_and_then_for_the_name() -> None:
    assert [endpoint.host for endpoint in asked_of_relay(HANDLER, 443)] == ["10.1.0.10", "epo.hq.test"]


def test_what_was_reachable_is_tried_in_the_lists_order() -> None:
    planned = plan([HANDLER, SECOND], [], [ONE])
    assert planned.remembered == ()
    assert labels(planned.others) == ["ePO_EPO", "ePO_AH"]


def test_a_preferred_handler_that_was_away_is_raced_against_the_one_in_use() -> None:
    planned = plan([HANDLER, SECOND], [HANDLER.name], [ONE])
    assert labels(planned.remembered) == ["ePO_EPO", "ePO_AH"]
    assert planned.others == ()


def test_a_later_handler_that_is_away_changes_nothing() -> None:
    assert labels(plan([HANDLER, SECOND], [SECOND.name], []).others) == ["ePO_EPO", "ePO_AH"]


def test_behind_a_firewall_straight_ways_are_raced_against_the_current_relay() -> None:
    planned = plan([HANDLER, SECOND], BOTH, [ONE, TWO])
    assert labels(planned.remembered) == ["ePO_EPO", "ePO_AH", "ePO_EPO through relay relay-1"]
    assert labels(planned.others) == [
        "ePO_AH through relay relay-1",
        "ePO_EPO through relay relay-2",
        "ePO_AH through relay relay-2",
    ]


def test_a_handler_that_relays_did_not_reach_is_raced_against_the_next_one() -> None:
    planned = plan([HANDLER, SECOND], (*BOTH, "ePO_EPO through a relay"), [ONE, TWO])
    assert labels(planned.remembered)[2:] == ["ePO_EPO through relay relay-1", "ePO_AH through relay relay-1"]
    assert labels(planned.others) == ["ePO_EPO through relay relay-2", "ePO_AH through relay relay-2"]


def test_without_a_known_relay_only_straight_ways_are_left() -> None:
    assert labels(plan([HANDLER], [HANDLER.name], []).remembered) == ["ePO_EPO"]
    assert plan([], [], [ONE]).others == ()


def test_a_way_is_known_by_handler_and_relay() -> None:
    assert Way(HANDLER).key == ("ePO_EPO", "")
    assert through_relays([SECOND], [TWO])[0].key == ("ePO_AH", "G2")


def test_relays_are_looked_for_at_every_communication_of_an_agent_that_needs_one() -> None:
    assert discovers("needed", all_unreachable=True) and not discovers("needed", all_unreachable=False)
    assert discovers("always", all_unreachable=False) and discovers("always", all_unreachable=True)
    assert not discovers("never", all_unreachable=True)
