"""Policies are stored, enforced, and counted as in force only when they are."""

from pathlib import Path

import msgspec

from miniepo.agent.enforcement import Enforcer
from miniepo.agent.roles import Refusal
from miniepo.protocol.manifest import difference, manifest_of
from miniepo.protocol.messages import Package, Policy, PolicySet, SiteListFile, TaskSet
from tests.unit.miniepo.standins import ListedRole, agent_config, sitelist_text, state_directory

POLICIES = PolicySet(version="p2", policies=(Policy(category="agent", name="a", settings={"asciSeconds": 7}),))
PACKAGE = Package(policies=POLICIES, tasks=TaskSet(version="t2", tasks=()))


def test_a_package_is_in_force_after_it(tmp_path: Path) -> None:
    role, state = ListedRole(), state_directory(tmp_path)
    enforcer = Enforcer(agent_config(tmp_path), state, [role])
    assert enforcer.take(PACKAGE) == ()
    assert (enforcer.versions.policy, enforcer.versions.tasks, enforcer.versions.sitelist) == ("p2", "t2", "")
    assert enforcer.settings.asci_seconds == 7 and role.seen[-1] is enforcer.settings
    assert enforcer.role_properties() == {"Listed.Enabled": "1"} and enforcer.role_states() == {"listed": True}


def test_what_cannot_be_enforced_does_not_count_until_it_can(tmp_path: Path) -> None:
    role, state = ListedRole(["no such service"]), state_directory(tmp_path)
    enforcer = Enforcer(agent_config(tmp_path), state, [role])
    assert enforcer.take(PACKAGE) == ("no such service",)
    assert enforcer.versions.policy == ""
    role.problems = ()
    assert enforcer.enforce() == () and enforcer.versions.policy == "p2"


def test_what_the_agent_refuses_is_a_problem_but_the_rest_counts(tmp_path: Path) -> None:
    enforcer = Enforcer(agent_config(tmp_path), state_directory(tmp_path), [ListedRole([Refusal("never on AIX")])])
    assert enforcer.take(PACKAGE) == ("never on AIX",) and enforcer.problems == ("never on AIX",)
    assert enforcer.versions.policy == "p2" and type(enforcer.problems[0]) is str
    mixed = Enforcer(agent_config(tmp_path), state_directory(tmp_path), [ListedRole([Refusal("never"), "not now"])])
    assert mixed.take(PACKAGE) == ("never", "not now") and mixed.versions.policy == ""


def test_policies_hold_in_the_next_life_without_a_server(tmp_path: Path) -> None:
    state = state_directory(tmp_path)
    Enforcer(agent_config(tmp_path), state, []).take(PACKAGE)
    later = Enforcer(agent_config(tmp_path), state, [])
    later.enforce()
    assert later.settings.asci_seconds == 7 and later.versions.policy == "p2"


def test_a_site_list_that_cannot_be_read_is_a_problem_and_changes_nothing(tmp_path: Path) -> None:
    state = state_directory(tmp_path)
    enforcer = Enforcer(agent_config(tmp_path), state, [])
    problems = enforcer.take(Package(sitelist=SiteListFile(version="s2", xml="<broken")))
    assert len(problems) == 1 and enforcer.versions.sitelist == ""
    enforcer.take(Package(sitelist=SiteListFile(version="s3", xml=sitelist_text())))
    assert enforcer.versions.sitelist == "s3"


def test_an_agent_of_5_x_has_a_manifest_and_merges_what_differs(tmp_path: Path) -> None:
    config = msgspec.structs.replace(agent_config(tmp_path), version="5.7.0")
    enforcer = Enforcer(config, state_directory(tmp_path), [])
    assert enforcer.versions.manifest == {}
    enforcer.take(Package(policies=POLICIES))
    assert enforcer.versions.manifest == manifest_of(POLICIES)
    more = PolicySet(version="p3", policies=(*POLICIES.policies, Policy(category="update", name="u", settings={})))
    assert enforcer.take(Package(policies=difference(more, enforcer.versions.manifest))) == ()
    assert (enforcer.versions.policy, enforcer.versions.manifest) == ("p3", manifest_of(more))
    assert enforcer.settings.asci_seconds == 7


def test_a_manifest_without_its_policies_is_a_problem_and_changes_nothing(tmp_path: Path) -> None:
    config = msgspec.structs.replace(agent_config(tmp_path), version="5.7.0")
    enforcer = Enforcer(config, state_directory(tmp_path), [])
    problems = enforcer.take(Package(policies=difference(POLICIES, manifest_of(POLICIES))))
    assert len(problems) == 1 and "did not come: agent" in problems[0]
    assert (enforcer.versions.policy, enforcer.versions.manifest) == ("", {})


def test_older_agents_have_none(tmp_path: Path) -> None:
    assert Enforcer(agent_config(tmp_path), state_directory(tmp_path), []).versions.manifest is None
