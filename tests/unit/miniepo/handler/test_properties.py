"""Properties become columns as the recorded rows show them (domain §7.5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniepo.handler import properties
from miniepo.handler.properties import Roles


@pytest.mark.parametrize(
    ("address", "expected"), [("192.168.1.102", 1084752230), ("10.120.33.241", -1971838479), ("", None), ("::1", None)]
)
def test_ipv4x_of_recorded_rows(address: str, expected: int | None) -> None:
    assert properties.ipv4x(address) == expected


def test_ipv6_holds_the_mapped_form_when_there_is_no_other() -> None:
    assert properties.ipv6_text("", "10.120.33.241") == "0:0:0:0:0:FFFF:A78:21F1"
    assert properties.ipv6_text("fd00::1%eth0", "10.0.0.1") == "fd00::1"
    assert properties.ipv6_text("", "") == ""


def test_columns_have_their_types_and_defaults() -> None:
    columns = properties.columns(
        {"NumOfCPU": "4", "OSBuildNum": "99999999999", "FreeMemory": "-1", "OSType": "x" * 2000}
    )
    assert (columns["NumOfCPU"], columns["OSBuildNum"], columns["FreeMemory"]) == (4, 2**31 - 1, 0)
    assert columns["SystemDescription"] == "N/A" and len(str(columns["OSType"])) == 1000


@given(st.dictionaries(st.sampled_from([*properties.TEXT_COLUMNS, *properties.NUMBER_COLUMNS, "IPV6"]), st.text()))
def test_no_report_can_break_a_column(received: dict[str, str]) -> None:
    columns = properties.columns(received)
    assert set(properties.TEXT_COLUMNS) | set(properties.NUMBER_COLUMNS) | {"IPV4x", "IPV6"} == set(columns)
    assert all(0 <= int(columns[name] or 0) < 2**63 for name in properties.NUMBER_COLUMNS)


@pytest.mark.parametrize("digits", ["9" * 5000, "9" * 20, "0" * 5000])
def test_numbers_without_an_end_are_numbers(digits: str) -> None:
    expected = 0 if digits[0] == "0" else 2**63 - 1
    assert properties.columns({"FreeMemory": digits})["FreeMemory"] == expected


@pytest.mark.parametrize(
    ("reported", "expected"),
    [("10.0.0.7", "10.0.0.7"), ("fd00::7", "fd00::7"), ("fe80::1%pc-2", "fe80::1"), ("pc-2.hq.test", ""), ("", "")],
)
def test_an_address_is_no_name(reported: str, expected: str) -> None:
    assert properties.columns({"IPAddress": reported})["IPAddress"] == expected


@pytest.mark.parametrize("values", [{}, {str(number): "" for number in range(500)}, {"a": "x" * 1024}])
def test_as_many_properties_as_an_agent_may_have(values: dict[str, str]) -> None:
    assert properties.excess(values) == ""


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({str(number): "" for number in range(501)}, "501 properties"),
        ({"a": "x" * 1025}, "more than 1024 characters"),
        ({"x" * 1025: ""}, "more than 1024 characters"),
        ({str(number): "x" * 1000 for number in range(300)}, "262144 characters together"),
    ],
)
def test_more_properties_than_an_agent_may_have(values: dict[str, str], told: str) -> None:
    assert told in properties.excess(values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("8591", 8591), ("65535", 65535), ("65536", 7), ("0", 7), ("", 7), ("²", 7), ("-1", 7), ("0000199999999", 7)],
)
def test_a_port_is_one_that_can_be_called(text: str, expected: int) -> None:
    assert properties.port_in(text, 7) == expected


def test_incremental_properties_are_laid_over_the_known_ones() -> None:
    before = {"a": "1", "b": "2"}
    assert properties.merged(before, {"b": "3"}, full=False) == {"a": "1", "b": "3"}
    assert properties.merged(before, {"b": "3"}, full=True) == {"b": "3"}


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ({}, Roles(False, 8081, False)),
        ({"SuperAgent.Enabled": "1"}, Roles(False, 8081, False)),
        (
            {"SuperAgent.Enabled": "1", "SuperAgent.Repository": "1", "SuperAgent.Port": "8591"},
            Roles(True, 8591, False),
        ),
        ({"SuperAgent.Enabled": "1", "SuperAgent.Repository": "1", "SuperAgent.Port": "x"}, Roles(True, 8081, False)),
        (
            {"SuperAgent.Enabled": "1", "SuperAgent.Repository": "1", "SuperAgent.Port": "9" * 5000},
            Roles(True, 8081, False),
        ),
        ({"Relay.Enabled": "1"}, Roles(False, 8081, True)),
    ],
)
def test_roles_are_read_from_properties(received: dict[str, str], expected: Roles) -> None:
    assert properties.roles(received) == expected
