"""To which systems an agent is pushed, by their NetBIOS names."""

import pytest

from miniepo.server.push_plan import is_netbios, plan_push
from miniepo.store.work import PUSH
from tests.unit.miniepo.systems import system

PC = system(id=1, name="pc-1", computer_name="", fqdn="pc-1.tokyo.test", guid=None)
TWIN = system(id=2, name="twin", computer_name="TWIN", fqdn="twin.tokyo.test")
OTHER_TWIN = system(id=3, name="twin", computer_name="TWIN", fqdn="twin.india.test")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("PC-1", True),
        ("a" * 15, True),
        ("a" * 16, False),
        ("pc-1.tokyo.test", False),
        ("10.2.0.7", False),
        ("fd00::7", False),
        ("", False),
        ("-oProxyCommand", False),
        ("pc 1", False),
    ],
)
def test_what_a_netbios_name_is(name: str, expected: bool) -> None:
    assert is_netbios(name) is expected


def test_systems_are_found_by_name_in_any_case() -> None:
    plan = plan_push(["PC-1", "twin", "pc-1"], [PC, TWIN])
    assert sorted((job.system.id, job.kind) for job in plan.jobs) == [(1, PUSH), (2, PUSH)]
    assert plan.unwoken == ()


def test_a_name_that_two_systems_have_is_nobodys() -> None:
    plan = plan_push(["twin"], [TWIN, OTHER_TWIN])
    assert plan.jobs == () and plan.unwoken[0].reason == "2 systems have the NetBIOS name twin"


def test_other_names_and_unknown_ones_are_told() -> None:
    plan = plan_push(["pc-1.tokyo.test", "nobody"], [PC])
    assert plan.jobs == ()
    assert sorted((each.name, each.system, each.reason) for each in plan.unwoken) == [
        ("nobody", None, "no system of the System Tree has the NetBIOS name nobody"),
        ("pc-1.tokyo.test", None, "pc-1.tokyo.test is no NetBIOS name, and push install uses NetBIOS names only"),
    ]


def test_a_system_that_calls_itself_something_else_than_netbios_gets_nothing() -> None:
    plan = plan_push(["pc-1"], [system(name="pc-1", computer_name="10.9.9.9")])
    assert plan.jobs == ()
    assert plan.unwoken[0].reason == "pc-1 calls itself 10.9.9.9, which is no NetBIOS name"
