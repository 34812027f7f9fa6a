"""A certificate lets its own machine enrol, and takes no system away from another one."""

from __future__ import annotations

import pytest

from miniepo.handler.enrolment_check import foreign, may_take, misnamed

PC = "agent pc-1.hq.test"


@pytest.mark.parametrize(
    ("certificate", "computer_name", "fqdn"),
    [
        (PC, "pc-1", "pc-1.hq.test"),
        (PC, "PC-1", "Pc-1.HQ.test"),
        ("agent crowd.hq.test", "crowd-0001", "crowd-0001.hq.test"),
        ("agent crowd.hq.test", "crowd-12345", "crowd-12345.hq.test"),
        ("agent package", "pc-1", "pc-1.hq.test"),
        ("epo.hq.test", "pc-1", "pc-1.hq.test"),
        ("", "pc-1", "pc-1.hq.test"),
    ],
)
def test_an_own_name_is_not_foreign(certificate: str, computer_name: str, fqdn: str) -> None:
    assert foreign(certificate, computer_name, fqdn) == ""


@pytest.mark.parametrize(
    ("certificate", "computer_name", "fqdn"),
    [
        (PC, "pc-2", "pc-2.hq.test"),
        (PC, "pc-1", "pc-1.tokyo.test"),
        (PC, "pc-2", "pc-1.hq.test"),
        (PC, "pc-2", ""),
        (PC, "pc-1", ""),
        (PC, "", ""),
        ("agent crowd.hq.test", "crowd-1", "crowd-1.hq.test"),
        ("agent crowd.hq.test", "crowd-0001", "crowd-0001.tokyo.test"),
        ("agent crowd.hq.test", "crowd-0001", "crowd.hq.test"),
        ("agent crowd.hq.test", "crowdx0001", "crowdx0001.hq.test"),
        ("agent c.owd.hq.test", "c-0001", "c-0001.hq.test"),
        ("agent crowd.hq.test", "crowd-²²²²", "crowd-²²²².hq.test"),
        ("agent .", "pc-1", "pc-1.hq.test"),
    ],
)
def test_another_machines_name_is_foreign(certificate: str, computer_name: str, fqdn: str) -> None:
    reason = foreign(certificate, computer_name, fqdn)
    assert certificate in reason and repr(fqdn) in reason


def test_a_machine_takes_its_own_system_with_a_new_key() -> None:
    assert may_take(PC, held="old", offered="new", released=False), "a node that was made anew"


@pytest.mark.parametrize("certificate", ["agent package", "epo.hq.test", "DataChannelAH_hq/epo"])
def test_a_certificate_of_no_machine_takes_only_what_nobody_holds(certificate: str) -> None:
    assert may_take(certificate, held=None, offered="new", released=False)
    assert may_take(certificate, held="new", offered="new", released=False)
    assert may_take(certificate, held="old", offered="new", released=True), "an administrator asked for a new GUID"
    assert not may_take(certificate, held="old", offered="new", released=False)


def test_without_certificates_the_enrolment_key_alone_decides() -> None:
    assert may_take("", held="old", offered="new", released=False)


KNOWN = ("pc-1", "pc-1.hq.test")
VICTIM = ("pc-2", "pc-2.hq.test")


@pytest.mark.parametrize("certificate", [PC, "agent package", "epo.hq.test"])
@pytest.mark.parametrize("reported", [VICTIM, ("pc-1", "pc-2.hq.test"), ("pc-2", "pc-1.hq.test")])
def test_nobody_reports_the_names_of_another(certificate: str, reported: tuple[str, str]) -> None:
    assert "pc-2" in misnamed(certificate, KNOWN, reported)


@pytest.mark.parametrize("certificate", [PC, "agent package", "epo.hq.test"])
def test_own_names_may_be_reported_in_any_case(certificate: str) -> None:
    assert misnamed(certificate, KNOWN, ("PC-1", "Pc-1.HQ.test")) == ""


def test_a_machine_that_was_renamed_reports_the_names_of_its_new_certificate() -> None:
    assert misnamed("agent pc-2.hq.test", KNOWN, VICTIM) == ""
    assert misnamed("agent pc-2.hq.test", KNOWN, KNOWN) != "", "and no longer the old ones"


def test_without_certificates_names_are_what_agents_say() -> None:
    assert misnamed("", KNOWN, VICTIM) == ""
