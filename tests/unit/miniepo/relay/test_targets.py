"""The relay's allowed endpoints follow its site list."""

import asyncio
from pathlib import Path

from miniepo.protocol.relay_session import Endpoint
from miniepo.protocol.sitelist import Site
from miniepo.relay.targets import Targets
from tests.unit.miniepo.standins import SetClock, sitelist_text

SITE = Site("SpipeSite", "ePO", "master", 1, "10.1.0.10", 80, "10.1.0.10", secure_port=443)
OTHER = Site("SpipeSite", "ePO", "master", 1, "10.1.0.20", 80, "10.1.0.20", secure_port=443)


def test_a_new_list_counts_at_once_and_a_broken_one_allows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "SiteList.xml"
    targets = Targets(path, SetClock())
    assert asyncio.run(targets.read()) == {}
    path.write_text(sitelist_text(SITE))
    assert set(asyncio.run(targets.read())) == {Endpoint("10.1.0.10", 80), Endpoint("10.1.0.10", 443)}
    fresh = tmp_path / "fresh"
    fresh.write_text(sitelist_text(OTHER))
    fresh.replace(path)
    assert set(asyncio.run(targets.read())) == {Endpoint("10.1.0.20", 80), Endpoint("10.1.0.20", 443)}
    path.write_text("")
    assert asyncio.run(targets.read()) == {}
    path.write_bytes(sitelist_text(OTHER).replace("UTF-8", "ISO-8859-1").replace("ePO", "\u00e9PO").encode("latin-1"))
    assert set(asyncio.run(targets.read())) == {Endpoint("10.1.0.20", 80), Endpoint("10.1.0.20", 443)}
    path.write_bytes(b"\xff\xff")
    assert asyncio.run(targets.read()) == {}
