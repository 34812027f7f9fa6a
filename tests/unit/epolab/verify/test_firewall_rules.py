"""Reading chains: what counts as an exception, and where the final drop is."""

import pytest

from epolab.model.firewall import FirewallException
from epolab.verify.firewall_rules import final_drop, missing, parse, rules_of

WAKEUP = FirewallException("tcp", 8081, ("10.1.0.10/32", "10.2.0.10/32"), ("fd00:1::10/128",), None, "wake-up")
GOOD = """-P INPUT ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -s 10.1.0.10/32 -p tcp -m tcp --dport 8081 -m comment --comment "wake-up calls" -j ACCEPT
-A INPUT -s 10.2.0.0/24 -p tcp -m multiport --dports 80,8000:8090 -j ACCEPT
-A INPUT -j DROP
"""


def test_a_chain_with_all_exceptions_misses_nothing() -> None:
    assert missing(GOOD, [WAKEUP], 4) == []


def test_a_rule_that_was_deleted_is_missed_with_its_source() -> None:
    listing = "".join(line + "\n" for line in GOOD.splitlines() if "10.1.0.10" not in line)
    ((exception, source, seen),) = missing(listing, [WAKEUP], 4)
    assert (exception, source) == (WAKEUP, "10.1.0.10/32")
    assert seen == "none of the 4 rules lets it in"


def test_a_rule_behind_the_drop_is_told_as_such() -> None:
    lines = GOOD.splitlines()
    moved = lines.pop(3)
    ((_, _, seen),) = missing("\n".join([*lines, moved]), [WAKEUP], 4)
    assert seen.startswith("the rule is number 5, behind the final drop at number 4: -A INPUT -s 10.1.0.10/32")


def test_the_other_family_is_asked_for_its_own_sources() -> None:
    assert [source for _, source, _ in missing("-P INPUT DROP\n", [WAKEUP], 6)] == ["fd00:1::10/128"]


@pytest.mark.parametrize(
    "rule",
    [
        "-A INPUT -p udp --dport 8081 -j ACCEPT",
        "-A INPUT -p tcp --dport 8082 -j ACCEPT",
        "-A INPUT -p tcp --sport 8081 -j ACCEPT",
        "-A INPUT -s 10.9.0.0/16 -p tcp --dport 8081 -j ACCEPT",
        "-A INPUT -p tcp --dport 8081 -j REJECT",
        "-A INPUT -i eth7 -p tcp --dport 8081 -j ACCEPT",
        "-A INPUT -p tcp --dport 8081 -m conntrack --ctstate ESTABLISHED -j ACCEPT",
    ],
)
def test_a_rule_that_only_looks_like_the_exception_does_not_count(rule: str) -> None:
    assert len(missing(f"{rule}\n-A INPUT -j DROP\n", [WAKEUP], 4)) == 2


def test_a_rule_for_new_connections_counts() -> None:
    rule = "-A INPUT -p tcp --dport 8081 -m conntrack --ctstate NEW -j ACCEPT"
    assert missing(f"{rule}\n-A INPUT -j DROP\n", [WAKEUP], 4) == []


def test_the_final_drop_is_a_rule_a_policy_or_absent() -> None:
    assert final_drop(GOOD) == 4
    assert final_drop("-P INPUT DROP\n-A INPUT -i lo -j ACCEPT\n") == 1
    assert final_drop("-P INPUT ACCEPT\n-A INPUT -s 10.0.0.0/8 -j DROP\n") is None


def test_only_rules_are_rules() -> None:
    assert parse("-P INPUT ACCEPT") is None
    assert [rule.target for rule in rules_of(GOOD)] == ["ACCEPT"] * 4 + ["DROP"]
