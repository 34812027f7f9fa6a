"""Every topology of the repository comes up, keeps its promises and leaves nothing (some have files of their own)."""

from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from epolab.topology import load_topology
from epolab.verify.policy_change import names_of
from epolab.verify.promises import NAMES, applies
from tests.acceptance.broken_promises import patched
from tests.acceptance.lab import TOPOLOGIES, succeed, until
from tests.acceptance.verdicts import Examined, nodes_of, told
from tests.acceptance.world import assert_nothing_is_left, look

pytestmark = pytest.mark.acceptance
ELSEWHERE = {
    "quickstart": "test_verdict_says_no.py",
    "minimal": "test_life.py",
    "conversations": "test_conversations.py",
    "relay-failover": "test_relay_load_says_no.py",
    "tokyo-4000": "`make soak`, which takes longer than a build may",
}
FOR = {
    "many-handlers": ("handlers",),
    "mixed-versions": ("communication", "datachannel", "port-8081", "relay"),
    "nat-branch": ("iptables", "port-8081", "handlers"),
}
"""The promises that a topology is there for; of one that is not named here all are examined."""
# any agent takes itself for one that can be a relay
ANY_RELAY = ("protocol/version.py", "return self.relay and WITHOUT_RELAY", "return True or WITHOUT_RELAY")
TOO_OLD, ON_AIX = "hq/v4-6", "hq/aix"
REPORTED_WITHIN_SECONDS = 60.0
FILES = [path for path in sorted(TOPOLOGIES.glob("*.yaml")) if path.stem not in ELSEWHERE]


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_it_comes_up_and_keeps_its_promises_and_leaves_nothing(file: Path, tmp_path: Path) -> None:
    home, name, promises = tmp_path / "home", f"try-{file.stem}"[:31], FOR.get(file.stem, NAMES)
    before = look(home)
    try:
        assert succeed(home, "up", file, "--name", name)["state"] == "ready"
        verdict = succeed(home, "verify", name, *(("-k", " or ".join(promises)) if promises != NAMES else ()))
        if file.stem in AGAINST:
            AGAINST[file.stem](Examined(home, name, load_topology(file)))
    finally:
        succeed(home, "down", name)
    assert_nothing_is_left(home, before)
    assert_all_kept(file, verdict, promises)


def assert_relays_that_must_not_be_are_seen(lab: Examined) -> None:
    """Agents of 4.6 and on AIX that do as the policy says, and do not refuse."""
    nodes = [lab.topology.node(path) for path in (TOO_OLD, ON_AIX)]
    cannot = {node.fqdn for node in nodes}

    def refuse() -> bool:
        rows = [row for row in lab.api("miniepo.readiness")["systems"] if row["fqdn"] in cannot]
        return any("cannot be a relay" in row["problems"] for row in rows)

    with ExitStack() as stack:
        for path in (TOO_OLD, ON_AIX):
            stack.enter_context(patched(lab.lab, path, "cmdagent", 8081, [ANY_RELAY]))
        lab.api("system.wakeupAgent", names=names_of(nodes), forceFullPolicyUpdate="true")
        assert until(lambda: not refuse(), REPORTED_WITHIN_SECONDS)
        rows = lab.failed_checks("test_an_agent_that_cannot_be_a_relay_refuses")
    assert nodes_of(rows) == {TOO_OLD, ON_AIX} and len(rows) == 2, told(rows)


AGAINST: dict[str, Callable[[Examined], None]] = {"mixed-versions": assert_relays_that_must_not_be_are_seen}
"""What is broken in a lab once its promises are kept, and seen to be broken."""


def assert_all_kept(file: Path, verdict: dict[str, Any], promises: Collection[str]) -> None:
    """Every promise that is examined is told of; skipped are just those that the topology has nothing for."""
    topology = load_topology(file)
    skipped = {result["promise"] for result in verdict["results"] if result["outcome"] == "skipped"}
    assert skipped == {promise for promise in promises if not applies(promise, topology)}
    assert {result["promise"] for result in verdict["results"]} == set(promises)
    assert verdict["failed"] == 0
