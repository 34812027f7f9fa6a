"""Names that no host can have are not reached; a connection that nobody wants any more is dropped, once or again."""

import asyncio
from typing import Any

import pytest

from miniepo.errors import UnreachableError
from miniepo.protocol.relay_session import Endpoint
from miniepo.wire.stream import Stream, abandon, connect, resolve

IMPOSSIBLE = ["a..b", "x" * 64 + ".test", "a\0b"]


@pytest.mark.parametrize("host", IMPOSSIBLE)
def test_an_impossible_name_is_unreachable(host: str) -> None:
    with pytest.raises(UnreachableError):
        asyncio.run(resolve(host))
    with pytest.raises(UnreachableError):
        asyncio.run(connect(Endpoint(host, 8081)))


@pytest.mark.parametrize("port", [-1, 0, 65536, 199_999_999])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_an_impossible_port_is_unreachable(host: str, port: int) -> None:
    with pytest.raises(UnreachableError, match="no such port"):
        asyncio.run(connect(Endpoint(host, port)))


class Opened:
    """As much of a stream's writer as is needed to see that it was dropped."""

    def __init__(self) -> None:
        self.transport = self
        self.dropped = False

    def abort(self) -> None:
        self.dropped = True


async def opening(end: Any) -> asyncio.Future[Any]:
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    future.add_done_callback(abandon)
    if end is None:
        future.cancel()
    elif isinstance(end, Exception):
        future.set_exception(end)
    else:
        future.set_result((None, end))
    await asyncio.wait([future])
    return future


def test_a_connection_that_nobody_waits_for_is_dropped() -> None:
    opened = Opened()
    asyncio.run(opening(opened))
    assert opened.dropped


def test_one_that_never_came_is_no_news() -> None:
    assert asyncio.run(opening(None)).cancelled()
    assert isinstance(asyncio.run(opening(OSError("refused"))).exception(), OSError)


class Forgetful:
    """A writer whose transport forgets what to drop when it is closed twice, as TLS does in Python 3.11.2."""

    def __init__(self) -> None:
        self.transport = self
        self.closed = 0

    def get_extra_info(self, name: str) -> None:
        return None

    def is_closing(self) -> bool:
        return self.closed > 0

    def close(self) -> None:
        self.closed += 1

    async def wait_closed(self) -> None:
        return None

    def abort(self) -> None:
        if self.closed > 1:
            raise AttributeError("'NoneType' object has no attribute '_abort'")


def test_a_connection_may_be_closed_and_dropped_more_than_once() -> None:
    async def run() -> None:
        writer: Any = Forgetful()
        stream = Stream(asyncio.StreamReader(), writer)
        await stream.close()
        await stream.close()
        assert writer.closed == 1
        writer.close()
        stream.abort()

    asyncio.run(run())
