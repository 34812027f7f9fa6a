"""The order in which repositories are tried."""

from ipaddress import IPv4Interface, IPv6Interface

from miniepo.protocol.sitelist import Site
from miniepo.repository.choose import order_by_list, order_by_ping, order_by_subnet

EPO = Site("SpipeSite", "epo", "master", 1, "epo", 80, "10.1.0.10")
AH = Site("SpipeSite", "ah", "master", 2, "ah", 80, "10.2.0.10")
TOKYO = Site("SuperAgentSite", "tokyo", "repository", 3, "sa", 8081, "10.3.0.10", "fd00:3::10")
INDIA = Site("SuperAgentSite", "india", "repository", 4, "sb", 8081, "10.4.0.10")
VENDOR = Site("HttpSite", "McAfeeHttp", "fallback", 5, "update.nai.com", 80)
ALL = (VENDOR, EPO, AH, INDIA, TOKYO)


def names(sites: tuple[Site, ...]) -> str:
    return " ".join(site.name for site in sites)


def test_the_superagent_of_the_own_segment_comes_first() -> None:
    assert names(order_by_subnet(ALL, [IPv4Interface("10.3.0.21/24")])) == "tokyo epo ah india McAfeeHttp"
    assert names(order_by_subnet(ALL, [IPv6Interface("fd00:3::21/64")])).startswith("tokyo epo")


def test_of_two_superagents_on_the_segment_the_nearest_address_comes_first_whatever_the_lists_order() -> None:
    one = Site("SuperAgentSite", "one", "repository", 6, "sc", 8081, "10.3.0.11")
    two = Site("SuperAgentSite", "two", "repository", 7, "sd", 8081, "10.3.0.10")
    assert names(order_by_subnet((one, two), [IPv4Interface("10.3.0.14/24")])) == "two one"
    assert names(order_by_subnet((two, one), [IPv4Interface("10.3.0.15/24")])) == "one two"


def test_without_one_the_handlers_come_before_foreign_superagents() -> None:
    assert names(order_by_subnet(ALL, [IPv4Interface("10.5.0.21/24")])) == "epo ah india tokyo McAfeeHttp"


def test_a_handler_that_did_not_answer_stands_behind_the_others() -> None:
    assert names(order_by_subnet(ALL, [IPv4Interface("10.5.0.21/24")], ["epo"])).startswith("ah epo")


def test_by_ping_the_nearest_comes_first_and_silence_last() -> None:
    assert names(order_by_ping(ALL, {"ah": 5.0, "tokyo": 1.0})) == "tokyo ah epo india McAfeeHttp"


def test_by_list_the_list_decides() -> None:
    assert names(order_by_list(ALL)) == "epo ah tokyo india McAfeeHttp"
