"""A request as a server sees it."""

import asyncio

import h11
import pytest

from miniepo.errors import TransferError
from miniepo.wire.http_request import Limits, Request
from tests.unit.miniepo.standins import request


async def no_pieces() -> bytes | None:
    return None


def test_the_path_is_decoded_and_the_query_apart() -> None:
    event = h11.Request(method="GET", target="/Software/a%20b?x=1?", headers=[("Host", "a"), ("X-Y", "Z")])
    read = Request.read(event, "10.0.0.1", no_pieces, Limits())
    assert (read.method, read.path, read.query) == ("GET", "/Software/a b", "x=1?")
    assert read.headers["x-y"] == "Z"


def test_a_body_within_the_limit_comes_whole() -> None:
    assert asyncio.run(request("PUT", "/", b"x" * 100).body(100)) == b"x" * 100
    with pytest.raises(TransferError):
        asyncio.run(request("PUT", "/", b"x" * 101).body(100))


def test_the_rest_of_a_body_is_drained_within_the_limit() -> None:
    asyncio.run(request("PUT", "/", b"x" * 100).drain(100))
    with pytest.raises(TransferError):
        asyncio.run(request("PUT", "/", b"x" * 200).drain(100))
