"""Nodes that do not run: which promises are broken by it, and which checks cannot be made."""

from pathlib import Path

import pytest

from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.absent import concerned, ends_of_link, others_live_by, refuse_absent, untold
from epolab.verify.broken import PromiseBrokenError
from epolab.verify.promises import NAMES
from epolab.verify.report import Result

QUICKSTART = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")
PC, SQL = "tokyo/tokyo-pc-1", facts.sql(QUICKSTART).path
SEEN = "its container lab.tokyo.tokyo-pc-1 is exited with code 137"


def about(path: str) -> set[str]:
    return {promise for promise in NAMES if path in concerned(QUICKSTART, promise)}


def test_every_promise_says_whom_it_concerns() -> None:
    talks = {"communication", "datachannel", "run-now", "wake-up"}
    assert about(PC) == {"iptables", "port-8081", "replication", "handlers", "isolation"} | talks
    assert about(SQL) == {"port-8081", "replication", "handlers", "isolation"} | talks
    assert about("tokyo/router") == {"wan", "isolation"}
    assert about("india/india-pc-1") >= {"relay", "iptables", "handlers", "isolation"}
    assert about("dmz/handler") >= {"handlers", "port-8081", "isolation"}


def test_who_shares_relays_with_many_is_concerned_by_them() -> None:
    failover = load_topology(Path(__file__).parents[4] / "topologies" / "relay-failover.yaml")
    assert {"field/crowd", "field/field-pc", "field/relay-a"} <= concerned(failover, "relay")


def test_others_live_by_servers_routers_relays_and_repositories_and_not_by_plain_agents() -> None:
    assert [node.path for node in QUICKSTART.nodes if not others_live_by(node)] == [
        node.path for node in QUICKSTART.nodes if set(node.components) in ({"agent"}, {"updates"})
    ]
    assert others_live_by(facts.router(QUICKSTART, "tokyo"))


def test_a_link_ends_at_two_routers() -> None:
    assert ends_of_link(QUICKSTART, "hq-tokyo") == ("hq/router", "tokyo/router")
    assert ends_of_link(QUICKSTART, PC) == ()


def test_who_does_not_run_is_named_with_what_was_seen() -> None:
    refuse_absent(["hq/epo", SQL], {PC: SEEN})
    with pytest.raises(PromiseBrokenError) as caught:
        refuse_absent(["hq/epo", PC, PC], {PC: SEEN})
    assert (caught.value.expected, caught.value.observed) == (f"{PC} runs", f"{PC}: {SEEN}")


def test_what_no_check_has_told_is_told() -> None:
    told = [Result("iptables", PC, "failed", "", "", "", 0.0), Result("handlers", None, "failed", "", "", "", 0.0)]
    results = untold(QUICKSTART, ["iptables", "handlers", "wan"], {PC: SEEN}, told)
    assert results == [Result("handlers", PC, "failed", f"{PC} runs", f"{PC}: {SEEN}", "the node runs", 0.0)]
