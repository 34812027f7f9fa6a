"""Playbooks of one client at a relay."""

import msgspec
import pytest

from miniepo.errors import RefusedError, TransferError
from miniepo.protocol.relay_session import (
    Dial,
    Disconnect,
    Endpoint,
    LineReceived,
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


@pytest.mark.parametrize(
    "target",
    [
        Endpoint("10.1.0.10", 443),
        Endpoint("10.1.0.10", 80),
        Endpoint("fd00:1::10", 443),
        Endpoint("EPO.hq.test", 443),
        Endpoint("epo", 443),
        Endpoint("10.9.9.9", 443),
        Endpoint("sa.hq.test", 8081),
    ],
    ids=str,
)
def test_listed_sites_are_dialled(target: Endpoint) -> None:
    session = RelaySession(ALLOWED)
    assert session.receive(LineReceived(encode_request(target))) == [Dial(target)]
    answer, splice = session.receive(TargetConnected())
    assert isinstance(answer, Say) and splice == Splice()
    check_answer(answer.data)
    assert session.receive(TransferEnded()) == [Disconnect()]


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


@pytest.mark.parametrize("line", [b"", b"GET / HTTP/1.1\r\n", b'{"connect": 5}\n', b'{"connect": "a:b"}\n', b"[]\n"])
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
    assert allowed_targets(empty, {}) == frozenset()
    assert names_to_resolve(LIST) == ("epo.hq.test", "sa.hq.test")


def test_an_ipv6_target_is_written_with_brackets() -> None:
    assert encode_request(Endpoint("fd00::1", 443)) == b'{"connect":"[fd00::1]:443"}\n'
