"""Chains: merged with those that are kept, compared as the kernel writes them, restored only when they differ."""

from pathlib import Path

import pytest

from epolab.deploy.ansible_collections.epolab.node.plugins.modules.firewall import (
    TableError,
    apply,
    difference,
    merged,
    parse,
)

INPUT = '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m comment --comment "answers" -j ACCEPT\nCOMMIT\n'
FORWARD = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -j ACCEPT\nCOMMIT\n"


class Kernel:
    """A kernel that keeps what it is given; `deaf` keeps nothing."""

    def __init__(self, rules: str = "", *, deaf: bool = False) -> None:
        self.rules, self.deaf, self.restored = rules, deaf, 0

    def __call__(self, argv: list[str], data: str = "") -> tuple[int, str, str]:
        if argv[0].endswith("-save"):
            return 0, self.rules, ""
        self.restored += 1
        if not self.deaf:
            self.rules = data.replace('"answers"', "answers").replace("root", "0").replace("[0:0]", "[7:420]")
        return 0, "", ""


def test_chains_of_other_roles_stay() -> None:
    both = merged(merged("", INPUT), FORWARD)
    assert set(parse(both)) == {("filter", "INPUT"), ("filter", "FORWARD"), ("filter", "OUTPUT")}
    assert parse(both)["filter", "FORWARD"] == ("DROP", ["-A FORWARD -j ACCEPT"])
    assert merged(both, INPUT) == both


def test_quotes_counters_and_user_names_are_no_difference() -> None:
    owner = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m owner --uid-owner root -j ACCEPT\nCOMMIT\n"
    live = owner.replace("root", "0").replace("[0:0]", "[3:99]")
    assert difference(owner, live) is None
    assert difference(INPUT, INPUT.replace('"answers"', "answers")) is None


def test_order_policy_and_missing_rules_are_differences() -> None:
    two = INPUT.replace("COMMIT", "-A INPUT -j DROP\nCOMMIT")
    swapped = (
        "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\n-A INPUT -m comment --comment answers -j ACCEPT\nCOMMIT\n"
    )
    assert difference(two, two) is None
    assert "rule 1" in (difference(two, swapped) or "")
    assert "the kernel has nothing" in (difference(two, INPUT) or "")
    assert "rule 0" in (difference(INPUT, INPUT.replace("INPUT ACCEPT", "INPUT DROP")) or "")


def test_rules_are_restored_once(tmp_path: Path) -> None:
    kernel = Kernel()
    assert apply(kernel, "v4", "iptables", INPUT, dry=False, folder=tmp_path) != []
    assert apply(kernel, "v4", "iptables", INPUT, dry=False, folder=tmp_path) == []
    assert kernel.restored == 1
    assert '"answers"' in (tmp_path / "rules.v4").read_text()


def test_a_rule_that_somebody_deleted_comes_back(tmp_path: Path) -> None:
    kernel = Kernel()
    apply(kernel, "v4", "iptables", INPUT, dry=False, folder=tmp_path)
    kernel.rules = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"
    [said] = apply(kernel, "v4", "iptables", INPUT, dry=False, folder=tmp_path)
    assert "filter INPUT, rule 1" in said
    assert difference(INPUT, kernel.rules) is None


def test_a_dry_run_restores_nothing(tmp_path: Path) -> None:
    kernel = Kernel()
    assert apply(kernel, "v4", "iptables", INPUT, dry=True, folder=tmp_path) != []
    assert kernel.restored == 0
    assert list(tmp_path.iterdir()) == []


def test_a_kernel_that_keeps_other_rules_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="keeps other rules than it was given"):
        apply(Kernel(deaf=True), "v4", "iptables", INPUT, dry=False, folder=tmp_path)
