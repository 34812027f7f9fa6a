"""The verdict says no: one promise at a time is broken behind its back, and exactly that one fails, by name."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.promises import NAMES
from tests.acceptance.broken_promises import (
    START,
    STOP,
    file_kept,
    firewall_kept,
    foreign_certificate,
    is_down,
    led_away,
    on,
    port_taken,
    rate_changed,
    rule,
    undone,
)
from tests.acceptance.lab import TOPOLOGIES, kill, start, succeed, until
from tests.acceptance.verdicts import NOISE, Examined, assert_told, told
from tests.acceptance.world import assert_nothing_is_left, look

pytestmark = pytest.mark.acceptance
LAB = "says-no"
FILE = TOPOLOGIES / "quickstart.yaml"
TOPOLOGY = load_topology(FILE)
PROMISES = set(NAMES)
HANDLER = "miniepo-handler"
RESTART = f"{STOP}; {START}".format(HANDLER)
DISTURBED_WITHIN_SECONDS = 90.0
INTERRUPTED = 130


@pytest.fixture(scope="module", name="lab")
def lab_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examined]:
    home = tmp_path_factory.mktemp("no") / "home"
    (home / "labs").mkdir(parents=True)
    before = look(home)
    try:
        succeed(home, "up", FILE, "--name", LAB, limit_seconds=1200)
        yield Examined(home, LAB, TOPOLOGY)
    finally:
        succeed(home, "down", LAB)
    assert_nothing_is_left(home, before)


def stopped_handlers() -> list[str]:
    """The handlers (node paths) that were stopped."""
    return [node.path for node in facts.handlers(TOPOLOGY) if is_down(LAB, node.path, HANDLER)]


def killed_in_the_middle(home: Path) -> str:
    """Start a verification, and kill it while it has a handler stopped; gives the handler's node."""
    verification = start(home, "verify", LAB, "-k", "handlers")
    try:
        assert until(lambda: bool(stopped_handlers()), DISTURBED_WITHIN_SECONDS), "no handler was ever stopped"
    finally:
        kill(verification, signal.SIGKILL)
    (handler,) = stopped_handlers()
    return handler


def test_a_verdict_that_is_told_to_end_does_and_puts_back_what_it_disturbed(lab: Examined) -> None:
    """The signal reaches every program of the terminal, those that lead to the nodes too."""
    verification = start(lab.home, "verify", LAB, "-k", "handlers")
    assert until(lambda: bool(stopped_handlers()), DISTURBED_WITHIN_SECONDS), "no handler was ever stopped"
    said = kill(verification, signal.SIGINT)
    assert verification.returncode == INTERRUPTED, said
    assert stopped_handlers() == []
    assert succeed(lab.home, "status", LAB) == {"lab": LAB, "state": "ready", "drift": []}


def test_the_whole_verdict_is_positive(lab: Examined) -> None:
    assert {row["promise"] for row in lab.assert_positive()} == PROMISES


def test_a_deleted_rule_is_seen(lab: Examined) -> None:
    agent, server = "hq/hq-pc-1", str(facts.server(TOPOLOGY).ipv4)
    with firewall_kept(LAB, agent, "iptables"):
        on(LAB, agent, f"iptables -D INPUT {rule(LAB, agent, 'iptables', '--dport 8081', server)}")
        rows = lab.failures("iptables", kept=["replication", "isolation"])
        assert {row["node"] for row in rows} == {agent}, told(rows)
        assert_told(rows, agent, f"iptables lets in 8081/tcp from {server}", lab.no_rule("iptables", agent))


def test_a_rule_behind_the_drop_is_seen(lab: Examined) -> None:
    agent = "tokyo/tokyo-sa"
    with firewall_kept(LAB, agent, "iptables"):
        moved = rule(LAB, agent, "iptables", "--dport 8081", "SuperAgent repository")
        on(LAB, agent, f"iptables -D INPUT {moved} && iptables -A INPUT {moved}")
        rows = lab.failures("iptables", kept=["isolation"])
        assert {row["node"] for row in rows} == {agent}, told(rows)
        assert_told(rows, agent, "iptables lets in 8081/tcp", "behind the final drop")


def test_a_forgotten_ipv6_rule_is_seen(lab: Examined) -> None:
    relay = "india/india-relay-1"
    with firewall_kept(LAB, relay, "ip6tables"):
        on(LAB, relay, f"ip6tables -D INPUT {rule(LAB, relay, 'ip6tables', '--dport 8083', 'tcp')}")
        rows = lab.failures("iptables", kept=["isolation"])
        assert {row["node"] for row in rows} == {relay}, told(rows)
        assert_told(rows, relay, "ip6tables lets in 8083/tcp", lab.no_rule("ip6tables", relay))
        assert not [row for row in rows if "iptables lets in" in row["expected"].replace("ip6tables", "")]


def test_a_port_that_another_process_took_is_seen(lab: Examined) -> None:
    agent = "india/india-pc-1"
    with port_taken(LAB, agent, 8081, "cmdagent", user="nobody"):
        rows = lab.failures("port-8081", kept=["iptables", "isolation"])
        assert {row["node"] for row in rows} == {agent}, told(rows)
        assert_told(rows, agent, "only cmdagent, run by mfeagent, listens on 8081/tcp", "another process of nobody")


def test_an_altered_file_of_a_repository_is_seen(lab: Examined) -> None:
    superagent, root = "tokyo/tokyo-sa", "/var/lib/miniepo/repository"
    path = on(LAB, superagent, f"find {root} -name '*.gem' | sort | head -1").strip()
    assert path, "the repository is empty"
    with file_kept(LAB, superagent, path):
        on(LAB, superagent, f"printf altered | dd of={path} conv=notrunc status=none")
        rows = lab.failures("replication", kept=["iptables", "isolation"])
        assert {row["node"] for row in rows} == {superagent}, told(rows)
        assert_told(rows, superagent, "every file of it is the master's", f"{path.removeprefix(root)[1:]} has SHA-256")


def test_an_emptied_list_of_a_relay_is_seen(lab: Examined) -> None:
    relay, path = "india/india-relay-1", "/var/lib/miniepo/agent/SiteList.xml"
    needy = {node.path for node in facts.agents(TOPOLOGY) if facts.needs_relay(TOPOLOGY, node)}
    with file_kept(LAB, relay, path):
        on(LAB, relay, f": > {path}")
        rows = lab.failures("relay", kept=["iptables", "isolation"])
        # the agents behind it cannot go to it either, when the other relay is stopped
        assert relay in {row["node"] for row in rows} <= {relay, *needy}, told(rows)
        assert_told(rows, relay, "forwards india/india-pc-1 to epo.hq.test:443", "not-listed")


def test_another_rate_of_a_link_is_seen(lab: Examined) -> None:
    link = "hq-india"
    with rate_changed(LAB, TOPOLOGY, link, 2.0):
        rows = lab.failures("wan", kept=["replication"])
        # a link that this machine was too busy to measure says so itself, and is not the one that was changed
        assert {row["node"] for row in rows if NOISE not in row["observed"]} == {link}, told(rows)
        wrong = [row for row in rows if f"{link}: rate 2 Mbit/s" in row["expected"]]
        rates = [float(rate) for row in wrong for rate in re.findall(rf"{link}: rate ([\d.]+) Mbit/s", row["observed"])]
        assert rates == [pytest.approx(4.0, rel=0.02)] * 2, told(rows)


def test_a_foreign_certificate_of_a_handler_is_seen(lab: Examined) -> None:
    handler = "dmz/handler"
    node = TOPOLOGY.node(handler)
    names = f"DNS:{node.fqdn},DNS:{node.name},IP:{node.ipv4},IP:{node.ipv6}"
    users = {agent.path for agent in facts.agents(TOPOLOGY) if facts.handler_order(TOPOLOGY, agent)[0] == node}
    with (
        undone(LAB, handler, RESTART),
        file_kept(LAB, handler, "/etc/miniepo/tls/node.pem", "/etc/miniepo/tls/node.key"),
    ):
        on(LAB, handler, foreign_certificate(names) + RESTART)
        rows = lab.failures("handlers", kept=["isolation"])
        # its agents do not trust it and use their next handler; where it is the next one, nobody can go to it
        assert {handler, *users} <= {row["node"] for row in rows}, told(rows)
        assert_told(rows, handler, f"a certificate of the lab's CA for {node.fqdn}", "its certificate is refused")


def test_an_interface_that_leads_out_of_the_lab_is_seen(lab: Examined) -> None:
    agent = "tokyo/tokyo-pc-2"
    with led_away(LAB, agent, "stray"):
        rows = lab.failures("isolation", kept=["iptables"])
        assert {row["node"] for row in rows} == {agent}, told(rows)
        wanted = "the other end of stray is in this lab"
        assert_told(rows, agent, wanted, "stray (veth) has its other end in no namespace of this lab")


def test_with_all_mended_and_a_verification_killed_the_next_whole_verdict_is_positive(lab: Examined) -> None:
    handler, journal = killed_in_the_middle(lab.home), lab.home / "labs" / LAB / "journal"
    (drift,) = succeed(lab.home, "status", LAB)["drift"]
    assert (drift["what"], drift["expected"]) == (f"node {handler}", "undisturbed")
    assert f"{HANDLER} stopped" in drift["observed"]
    assert {row["promise"] for row in lab.assert_positive()} == PROMISES
    assert stopped_handlers() == []
    assert list(journal.iterdir()) == []
    assert succeed(lab.home, "status", LAB) == {"lab": LAB, "state": "ready", "drift": []}
