"""Communication that goes otherwise is seen: other site lists, events that wait, rare enforcement, GUIDs that stay."""

import pytest

from tests.acceptance.broken_promises import START, STOP, file_kept, on, patched, restart, undone
from tests.acceptance.lab import until
from tests.acceptance.verdicts import Examined, assert_told, nodes_of, told

pytestmark = [pytest.mark.acceptance, pytest.mark.beside]
STATE = "/var/lib/miniepo/agent"
IDENTITY = ("agent.key", "guid", "guid.json", "properties.json", "sequence.json")
PSQL = "cd / && chpst -u postgres psql -qv ON_ERROR_STOP=1 epo -c"
# what somebody would do who wanted no agent to get another GUID
KEEP_GUIDS = (
    "CREATE FUNCTION keep_guids() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN NEW.RegenerateGUID := false; RETURN NEW; END'; "
    "CREATE TRIGGER keep_guids BEFORE UPDATE ON EPOLeafNode FOR EACH ROW EXECUTE FUNCTION keep_guids()"
)
AGAIN_WITHIN_SECONDS = 60.0
# a first call that comes at once, whatever the log says of it; and it says the same after each start
AT_ONCE = (
    "agent/caller.py",
    "CallSchedule(self._clock.monotonic(), drawn)",
    "CallSchedule(self._clock.monotonic(), 0)",
)
NOT_DRAWN = ("agent/caller.py", "self._entropy.uniform(0, first_within_seconds)", "first_within_seconds")


def rewritten(path: str, expression: str) -> str:
    """The shell command that changes a file by sed and leaves its owner and mode."""
    return f"changed=$(sed -E '{expression}' {path}) && printf '%s\\n' \"$changed\" > {path}"


def test_a_list_that_published_tools_do_not_read_is_seen(conversations: Examined) -> None:
    lab, agent, path = conversations, "tokyo/tokyo-pc", f"{STATE}/SiteList.xml"
    with file_kept(lab.lab, agent, path):
        on(lab.lab, agent, rewritten(path, "s|</SpipeSite><|</SpipeSite>\\n<|"))
        rows = lab.failures("communication", kept=["isolation"])
        assert nodes_of(rows) == {agent}, told(rows)
        assert_told(rows, agent, "SiteList.xml has the published structure", "text stands between its sites")


def test_a_list_without_a_site_that_the_server_gives_is_seen(conversations: Examined) -> None:
    lab, agent, path = conversations, "lyon/lyon-laptop", f"{STATE}/SiteList.xml"
    with file_kept(lab.lab, agent, path):
        on(lab.lab, agent, rewritten(path, "s|<HttpSite .*</HttpSite>||"))
        rows = lab.failures("communication", kept=["isolation"])
        assert nodes_of(rows) == {agent}, told(rows)
        assert_told(rows, agent, "McAfeeHttp", "not HttpSite McAfeeHttp update.nai.com:80")


def test_events_of_priority_and_first_calls_that_do_not_come_as_they_must_are_seen(conversations: Examined) -> None:
    """One agent keeps events back and enforces rarely, the other one's first call is neither drawn nor waited for."""
    lab, agent, path, hasty = conversations, "lyon/lyon-pc", f"{STATE}/policies.json", "tokyo/tokyo-pc"
    with file_kept(lab.lab, agent, path), patched(lab.lab, hasty, "cmdagent", 8081, [AT_ONCE, NOT_DRAWN]):
        on(lab.lab, agent, rewritten(path, 's|"eventPriority":[0-9]+|"eventPriority":-1,"enforcementSeconds":300|'))
        for _ in range(3):
            restart(lab.lab, hasty, "cmdagent", 8081)
        rows = lab.failures("communication", kept=["isolation"])
        assert nodes_of(rows) == {agent, hasty}, told(rows)
        assert_told(rows, hasty, "makes its first call 0.833 s after its start", f"{hasty}: it did after 0.0")
        assert_told(rows, hasty, "draws its first call at random", "its last 3 starts all drew 0.833 s")
        assert {"first call" in row["expected"] for row in rows if row["node"] == hasty} == {True}, told(rows)
        assert_told(rows, agent, "an event of priority is sent at once", "it said PROPS VERSION")
        assert_told(rows, agent, "enforces its policies every 1 s", "every 300 s")
    assert until(lambda: every_seconds(lab, agent) == 1.0, AGAIN_WITHIN_SECONDS)


def every_seconds(lab: Examined, agent: str) -> float:
    """How often an agent enforces its policies, as it says itself once it has enforced them now."""
    on(lab.lab, agent, "runuser -u mfeagent -- miniepo ctl enforce")
    return float(on(lab.lab, agent, f"grep -oP '\"enforcement_seconds\": \\K[0-9.]+' {STATE}/status.json"))


def test_an_agent_that_finds_no_name_is_seen(conversations: Examined) -> None:
    """It reaches handlers by their addresses as ever; what it lacks shows when they refuse it."""
    lab, agent = conversations, "hq/hq-pc"
    rule = "OUTPUT -m owner --uid-owner mfeagent -p udp --dport 53 -j REJECT"
    mended = "; ".join(f"{tool} -D {rule}" for tool in ("iptables", "ip6tables"))
    with undone(lab.lab, agent, mended):
        on(lab.lab, agent, " && ".join(f"{tool} -I {rule}" for tool in ("iptables", "ip6tables")))
        rows = lab.failures("communication", kept=["isolation"])
        assert nodes_of(rows) == {agent}, told(rows)
        assert_told(rows, agent, "tries hq/epo by FQDN at epo.hq.test:443", "FQDN epo.hq.test:443 unresolved")


def test_a_guid_that_stays_is_seen(conversations: Examined) -> None:
    lab, agent = conversations, "hq/hq-pc"
    with undone(lab.lab, "hq/sql", f"{PSQL} 'DROP FUNCTION keep_guids CASCADE'"):
        on(lab.lab, "hq/sql", f'{PSQL} "{KEEP_GUIDS}"')
        rows = lab.failures("communication", kept=["isolation"])
        assert nodes_of(rows) == {agent}, told(rows)
        assert_told(rows, agent, "has another GUID than", "it says")


def guid(lab: Examined, agent: str) -> str:
    """An agent's GUID as it says itself."""
    return on(lab.lab, agent, f"cat {STATE}/guid").strip()


def test_an_agent_cloned_with_its_guid_gets_one_of_its_own(conversations: Examined) -> None:
    lab, first, clone = conversations, "lyon/lyon-pc", "tokyo/tokyo-pc"
    kept, files = guid(lab, first), " ".join(IDENTITY)
    identity = on(lab.lab, first, f"tar -C {STATE} -czf - {files} | base64 -w0")
    stop, start = (f"sv -w 60 {verb} /etc/service/cmdagent" for verb in ("force-stop", "up"))
    on(lab.lab, clone, f"{stop} && echo {identity} | base64 -d | tar -C {STATE} -xzpf - && {start}")
    assert until(lambda: guid(lab, clone) != kept, AGAIN_WITHIN_SECONDS), f"{clone} goes on under {kept}"
    assert "the server asks for a new GUID" in on(lab.lab, clone, "cat /var/log/miniepo/cmdagent.log")
    assert {row["outcome"] for row in lab.assert_positive("-k", "communication")} == {"passed"}
    assert guid(lab, first) == kept


def test_a_swarm_whose_agents_do_not_call_in_is_seen(conversations: Examined) -> None:
    lab, swarm = conversations, "dmz/crowd"
    with undone(lab.lab, swarm, START.format("miniepo-swarm")):
        on(lab.lab, swarm, STOP.format("miniepo-swarm"))
        rows = lab.failures("communication", kept=["isolation"])
    assert nodes_of(rows) == {swarm}, told(rows)


def test_an_agent_of_a_swarm_that_is_in_another_group_is_seen(conversations: Examined) -> None:
    lab, swarm, one = conversations, "dmz/crowd", "WHERE NodeName = 'crowd-0007'"
    moved = f'{PSQL} "UPDATE EPOLeafNode SET ParentID = %s {one}"'
    at_home = "(SELECT AutoID FROM EPOBranchNode WHERE NodeName = 'crowd')"
    with undone(lab.lab, "hq/sql", moved % at_home):
        on(lab.lab, "hq/sql", moved % "2")
        rows = lab.failures("communication", kept=["isolation"])
        assert nodes_of(rows) == {swarm}, told(rows)
        assert_told(rows, swarm, "each is in the group", "crowd-0007.dmz.test")
