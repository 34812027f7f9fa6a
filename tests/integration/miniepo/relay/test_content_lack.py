"""An update goes on through the next cached relay when the content does not come through the current one."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from miniepo.agent.settings import UpdateSettings
from miniepo.agent.state import Routing, StateDirectory
from miniepo.agent.update import Outcome, Updater
from miniepo.errors import WorldError
from miniepo.protocol import content, sitelist
from miniepo.protocol.content import Catalog
from miniepo.protocol.discovery import Relay
from miniepo.protocol.sitelist import SiteList
from miniepo.protocol.task_settings import UpdateTask
from tests.integration.miniepo.relay.doors import Serve, relaying, serving, site, tls_of
from tests.unit.miniepo.standins import CountingEntropy

pytestmark = pytest.mark.integration

KEY = SigningKey.generate()
CATALOG = content.pack(content.write_catalog(Catalog(1, ())), lambda data: KEY.sign(data).signature)
NOT_HERE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
ELSEWHERE = site(1)


def repository(*answers: bytes) -> Serve:
    """A repository that gives each connection the next of these answers, the last one again and again."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()

    return serve


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


async def update(folder: Path, port: int, relays: Sequence[int]) -> Outcome:
    """Update from the repository at this port, through relays at these ones, straight ways being barred."""
    listed = site(port)
    path = folder / "agent.xml"
    path.write_text(sitelist.write(SiteList("EPO", "1", (listed,))))
    state = StateDirectory(folder / "state", path, CountingEntropy())
    found = tuple(Relay(f"G{n}", f"relay-{n}", each, ("127.0.0.1",)) for n, each in enumerate(relays, 1))
    state.routing = Routing(found, (listed.name,))
    return await Updater(state, tls_of(folder), KEY.verify_key).run(UpdateSettings(mode="order"), UpdateTask())


def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    return tmp_path / "one", tmp_path / "two"


def test_a_repository_that_says_not_here_is_asked_through_the_next_relay(tmp_path: Path) -> None:
    async def run() -> None:
        one, two = folders(tmp_path)
        async with (
            serving(repository(NOT_HERE, ok(CATALOG))) as place,
            relaying(one, site(place.port)) as first,
            relaying(two, site(place.port)) as second,
        ):
            outcome = await update(tmp_path, place.port, [first.port, second.port])
        assert (outcome.via_relay, len(place.visits)) == ("relay-2", 2)

    asyncio.run(run())


def test_content_that_nobody_signed_is_fetched_through_the_next_relay(tmp_path: Path) -> None:
    async def run() -> None:
        one, two = folders(tmp_path)
        async with (
            serving(repository(ok(b"forged" + CATALOG), ok(CATALOG))) as place,
            relaying(one, site(place.port)) as first,
            relaying(two, site(place.port)) as second,
        ):
            outcome = await update(tmp_path, place.port, [first.port, second.port])
        assert outcome.via_relay == "relay-2"

    asyncio.run(run())


def test_a_relay_whose_list_lacks_the_repository_is_left_for_the_next(tmp_path: Path) -> None:
    async def run() -> None:
        one, two = folders(tmp_path)
        async with (
            serving(repository(ok(CATALOG))) as place,
            relaying(one, ELSEWHERE) as first,
            relaying(two, site(place.port)) as second,
        ):
            outcome = await update(tmp_path, place.port, [first.port, second.port])
        assert (outcome.via_relay, len(place.visits)) == ("relay-2", 1)

    asyncio.run(run())


def test_where_no_relay_has_the_content_the_update_fails_and_says_why(tmp_path: Path) -> None:
    async def run() -> None:
        one, two = folders(tmp_path)
        async with (
            serving(repository(NOT_HERE)) as place,
            relaying(one, site(place.port)) as first,
            relaying(two, ELSEWHERE) as second,
        ):
            with pytest.raises(WorldError, match="not-listed"):
                await update(tmp_path, place.port, [first.port, second.port])

    asyncio.run(run())
