"""The verdict says no: one promise at a time is broken behind its back, and exactly that one fails, by name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from epolab.model import facts
from epolab.topology import load_topology
from tests.acceptance.broken_promises import (
    file_kept,
    firewall_kept,
    foreign_certificate,
    on,
    rate_changed,
    rule,
    undone,
)
from tests.acceptance.lab import TOPOLOGIES, epolab, succeed

pytestmark = pytest.mark.acceptance
LAB = "says-no"
FILE = TOPOLOGIES / "quickstart.yaml"
TOPOLOGY = load_topology(FILE)
PROMISES = {"iptables", "port-8081", "replication", "relay", "handlers", "wan", "isolation"}
RESTART = "sv -w 60 force-stop /etc/service/{0}; sv -w 60 up /etc/service/{0}"
NOISE = "scheduling noise of this machine"
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module", name="home")
def home_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("no") / "home"
    try:
        succeed(home, "up", FILE, "--name", LAB, limit_seconds=1200)
        yield home
    finally:
        succeed(home, "down", LAB)


def assert_positive(home: Path, *words: str) -> Rows:
    """The verdict (of some promises) is positive, and nothing was skipped."""
    spoken = epolab(home, "verify", LAB, *words, limit_seconds=900)
    failed = [row for row in spoken.document["results"] if row["outcome"] != "passed"]
    assert (spoken.code, failed) == (0, []), spoken.text
    assert spoken.document["skipped"] == 0
    rows: Rows = spoken.document["results"]
    return rows


def failures(home: Path, promise: str) -> Rows:
    """What fails in a promise; the verdict on it must be negative."""
    spoken = epolab(home, "verify", LAB, "-k", promise, limit_seconds=900)
    assert spoken.code == 1, spoken.document
    rows: Rows = [row for row in spoken.document["results"] if row["outcome"] == "failed"]
    assert {row["promise"] for row in rows} == {promise}
    assert len(rows) == spoken.document["failed"] > 0
    return rows


def told(rows: Rows) -> str:
    """Rows of a verdict in full, for whoever reads why a test failed."""
    return "\n".join(f"{row['node']}: expected {row['expected']}; observed {row['observed']}" for row in rows)


def assert_told(rows: Rows, subject: str, expected: str, observed: str) -> None:
    """One of the failures names the subject, what was expected and what was seen instead."""
    seen = [(row["expected"], row["observed"]) for row in rows if row["node"] == subject]
    assert any(subject in e and expected in e and observed in o for e, o in seen), told(rows)


def test_the_whole_verdict_is_positive_and_a_second_one_right_after_too(home: Path) -> None:
    """The second one of the promises whose examination disturbs the lab most; the file ends with all of them again."""
    assert {row["promise"] for row in assert_positive(home)} == PROMISES
    assert_positive(home, "-k", "relay or handlers")


def test_a_deleted_rule_is_seen(home: Path) -> None:
    agent, server = "hq/hq-pc-1", str(facts.server(TOPOLOGY).ipv4)
    with firewall_kept(LAB, agent, "iptables"):
        gone = rule(LAB, agent, "iptables", "--dport 8081", server)
        on(LAB, agent, f"iptables -D INPUT {gone}")
        rows = failures(home, "iptables")
        assert {row["node"] for row in rows} == {agent}, told(rows)
        assert_told(rows, agent, f"iptables lets in 8081/tcp from {server}", agent)
        assert_positive(home, "-k", "isolation")


def test_a_rule_behind_the_drop_is_seen(home: Path) -> None:
    agent = "tokyo/tokyo-sa"
    with firewall_kept(LAB, agent, "iptables"):
        moved = rule(LAB, agent, "iptables", "--dport 8081", "SuperAgent repository")
        on(LAB, agent, f"iptables -D INPUT {moved} && iptables -A INPUT {moved}")
        rows = failures(home, "iptables")
        assert {row["node"] for row in rows} == {agent}, told(rows)
        assert_told(rows, agent, "iptables lets in 8081/tcp", "behind the final drop")


def test_a_forgotten_ipv6_rule_is_seen(home: Path) -> None:
    relay = "india/india-relay-1"
    with firewall_kept(LAB, relay, "ip6tables"):
        on(LAB, relay, f"ip6tables -D INPUT {rule(LAB, relay, 'ip6tables', '--dport 8083', 'tcp')}")
        rows = failures(home, "iptables")
        assert {row["node"] for row in rows} == {relay}, told(rows)
        assert_told(rows, relay, "ip6tables lets in 8083/tcp", relay)
        assert not [row for row in rows if "iptables lets in" in row["expected"].replace("ip6tables", "")]
    assert_positive(home, "-k", "iptables")


def test_an_altered_file_of_a_repository_is_seen(home: Path) -> None:
    superagent, root = "tokyo/tokyo-sa", "/var/lib/miniepo/repository"
    path = on(LAB, superagent, f"find {root} -name '*.gem' | sort | head -1").strip()
    assert path, "the repository is empty"
    with file_kept(LAB, superagent, path):
        on(LAB, superagent, f"printf altered | dd of={path} conv=notrunc status=none")
        rows = failures(home, "replication")
        assert {row["node"] for row in rows} == {superagent}, told(rows)
        assert_told(rows, superagent, superagent, path.rpartition("/")[2])
        assert_positive(home, "-k", "iptables or isolation")


def test_an_emptied_list_of_a_relay_is_seen(home: Path) -> None:
    relay, path = "india/india-relay-1", "/var/lib/miniepo/agent/SiteList.xml"
    needy = {node.path for node in facts.agents(TOPOLOGY) if facts.needs_relay(TOPOLOGY, node)}
    with file_kept(LAB, relay, path):
        on(LAB, relay, f": > {path}")
        rows = failures(home, "relay")
        # the agents behind it cannot go to it either, when the other relay is stopped
        assert relay in {row["node"] for row in rows} <= {relay, *needy}, told(rows)
        assert_told(rows, relay, "forwards india/india-pc-1 to epo.hq.test:443", "not-listed")
        assert_positive(home, "-k", "isolation")


def test_another_rate_of_a_link_is_seen(home: Path) -> None:
    with rate_changed(LAB, TOPOLOGY, "hq-india", 2.0):
        rows = failures(home, "wan")
        # a link that this machine was too busy to measure says so itself, and is not the one that was changed
        assert {row["node"] for row in rows if NOISE not in row["observed"]} == {"hq-india"}, told(rows)
        assert_told(rows, "hq-india", "rate 2 Mbit/s", "rate")
        assert_positive(home, "-k", "isolation")


def test_a_foreign_certificate_of_a_handler_is_seen(home: Path) -> None:
    handler = "dmz/handler"
    node = TOPOLOGY.node(handler)
    names = f"DNS:{node.fqdn},DNS:{node.name},IP:{node.ipv4},IP:{node.ipv6}"
    users = {agent.path for agent in facts.agents(TOPOLOGY) if facts.handler_order(TOPOLOGY, agent)[0] == node}
    with (
        undone(LAB, handler, RESTART.format("miniepo-handler")),
        file_kept(LAB, handler, "/etc/miniepo/tls/node.pem", "/etc/miniepo/tls/node.key"),
    ):
        on(LAB, handler, foreign_certificate(names) + RESTART.format("miniepo-handler"))
        rows = failures(home, "handlers")
        # its agents do not trust it and use their next handler; where it is the next one, nobody can go to it
        assert {handler, *users} <= {row["node"] for row in rows}, told(rows)
        assert_told(rows, handler, f"a certificate of the lab's CA for {node.fqdn}", "its certificate is refused")
        assert_positive(home, "-k", "isolation")


def test_with_everything_mended_the_whole_verdict_is_positive_again(home: Path) -> None:
    assert {row["promise"] for row in assert_positive(home)} == PROMISES
