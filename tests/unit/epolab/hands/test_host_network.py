"""The host's network as text: what moves by itself is left out, what came or went is told."""

from epolab.hands.host_network import differences, rules_of, steady


def test_lifetimes_and_states_are_left_out() -> None:
    record = {"ifname": "eth0", "operstate": "UP", "addr_info": [{"local": "192.0.2.2", "valid_life_time": 3599}]}
    assert steady(record) == {"ifname": "eth0", "addr_info": [{"local": "192.0.2.2"}]}


def test_counters_and_comments_are_no_rules() -> None:
    assert rules_of("# Generated at noon\n*filter\n:INPUT ACCEPT [12:3400]\nCOMMIT\n") == [
        "*filter",
        ":INPUT ACCEPT",
        "COMMIT",
    ]


def test_what_came_and_what_went_is_told_and_what_cannot_be_compared_is_not() -> None:
    before = {"links": ["lo", "eth0"], "nftables": ["table ip x"]}
    assert differences(before, {"links": ["lo", "docker0"]}) == ["links: gone eth0", "links: new docker0"]
