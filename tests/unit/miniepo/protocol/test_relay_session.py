"""Playbooks of one client at a relay."""

import msgspec
import pytest

from miniepo.errors import RefusedError, TransferError
from miniepo.protocol.relay_session import (
    MAX_LINE_BYTES,
    Dial,
    Disconnect,
    Endpoint,
    LineReceived,
    NoRoom,
    NothingAsked,
    RelaySession,
    Say,
    Splice,
    TargetConnected,
    TargetUnreachable,
    TransferEnded,
    allowed_targets,
    check_answer,
    encode_request,
    names_to_resolve,
)
from miniepo.protocol.sitelist import Site, SiteList

LIST = SiteList(
    "EPO",
    "1",
    (
        Site("SpipeSite", "ePO_EPO", "master", 1, "epo.hq.test", 80, "10.1.0.10", "fd00:1::10", "epo", 443),
        Site("SuperAgentSite", "ePOSA_SA", "repository", 2, "sa.hq.test", 8081, "10.1.0.11"),
        Site("SpipeSite", "off", "master", 3, "off.hq.test", 80, "10.1.0.12", secure_port=443, enabled=False),
    ),
)
ALLOWED = allowed_targets(LIST, {"epo.hq.test": ("10.9.9.9",)})


BOTH = ("10.1.0.10", "fd00:1::10")


@pytest.mark.parametrize(
    ("asked", "host", "addresses"),
    [
        (Endpoint("10.1.0.10", 443), "10.1.0.10", BOTH[:1]),
        (Endpoint("10.1.0.10", 80), "10.1.0.10", BOTH[:1]),
        (Endpoint("fd00:1::10", 443), "fd00:1::10", BOTH[1:]),
        (Endpoint("EPO.hq.test", 443), "epo.hq.test", ("10.9.9.9", *BOTH)),
        (Endpoint("epo", 443), "epo", ("10.9.9.9", *BOTH)),
        (Endpoint("10.9.9.9", 443), "10.9.9.9", ("10.9.9.9",)),
        (Endpoint("sa.hq.test", 8081), "sa.hq.test", ("10.1.0.11",)),
    ],
    ids=str,
)
def test_listed_sites_are_dialled(asked: Endpoint, host: str, addresses: tuple[str, ...]) -> None:
    session = RelaySession(ALLOWED)
    dialled = tuple(Endpoint(address, asked.port) for address in addresses)
    assert session.receive(LineReceived(encode_request(asked))) == [Dial(Endpoint(host, asked.port), dialled)]
    answer, splice = session.receive(TargetConnected())
    assert isinstance(answer, Say) and splice == Splice()
    check_answer(answer.data)
    assert session.receive(TransferEnded()) == [Disconnect()]


def test_a_client_that_says_nothing_in_time_is_dropped_without_a_word() -> None:
    assert RelaySession(ALLOWED).receive(NothingAsked()) == [Disconnect()]


def test_a_relay_without_room_says_so_and_dials_nothing() -> None:
    session = RelaySession(ALLOWED)
    answer, end = session.receive(NoRoom("200 connections are in use"))
    assert isinstance(answer, Say) and end == Disconnect() and session.target is None
    with pytest.raises(RefusedError, match="busy: 200 connections are in use"):
        check_answer(answer.data)


def test_a_request_longer_than_a_line_is_refused() -> None:
    line = b'{"connect": "epo.hq.test:443"' + b" " * MAX_LINE_BYTES + b"}\n"
    answer, end = RelaySession(ALLOWED).receive(LineReceived(line))
    assert isinstance(answer, Say) and msgspec.json.decode(answer.data)["code"] == "bad-request"
    assert end == Disconnect()


@pytest.mark.parametrize(
    "target",
    [
        Endpoint("10.1.0.10", 22),
        Endpoint("10.1.0.99", 443),
        Endpoint("10.1.0.12", 443),
        Endpoint("127.0.0.1", 443),
        Endpoint("epo.hq.test.evil", 443),
        Endpoint("10.1.0.11", 443),
    ],
    ids=str,
)
def test_everything_else_is_refused(target: Endpoint) -> None:
    answer, end = RelaySession(ALLOWED).receive(LineReceived(encode_request(target)))
    assert isinstance(answer, Say) and end == Disconnect()
    with pytest.raises(RefusedError, match="not-listed"):
        check_answer(answer.data)


@pytest.mark.parametrize(
    "line", [b"", b"GET / HTTP/1.1\r\n", b'{"connect": 5}\n', b'{"connect": "a:b"}\n', b"[]\n", b"[" * 900]
)
def test_what_is_no_request_is_refused(line: bytes) -> None:
    answer, end = RelaySession(ALLOWED).receive(LineReceived(line))
    assert isinstance(answer, Say) and msgspec.json.decode(answer.data)["code"] == "bad-request"
    assert end == Disconnect()


def test_an_unreachable_site_is_said_so() -> None:
    answer, end = RelaySession(ALLOWED).receive(TargetUnreachable("no answer within 2 s"))
    assert isinstance(answer, Say) and end == Disconnect()
    with pytest.raises(RefusedError, match="unreachable: no answer within 2 s"):
        check_answer(answer.data)


def test_something_else_that_answers_is_no_relay() -> None:
    with pytest.raises(TransferError):
        check_answer(b"HTTP/1.1 400 Bad Request\r\n")


def test_an_empty_list_allows_nothing_and_names_nothing() -> None:
    empty = SiteList("EPO", "1", ())
    assert allowed_targets(empty, {}) == {}
    assert names_to_resolve(LIST) == ("epo.hq.test", "sa.hq.test")


def test_an_ipv6_target_is_written_with_brackets() -> None:
    assert encode_request(Endpoint("fd00::1", 443)) == b'{"connect":"[fd00::1]:443"}\n'
