"""Importing many systems at once."""

from __future__ import annotations

import asyncio

import pytest

from miniepo import config
from miniepo.store.database import open_database
from miniepo.store.migrate import migrate
from miniepo.store.store import Store

pytestmark = pytest.mark.integration


def test_those_whose_name_is_free_are_created_together_and_the_others_left_to_be_looked_at(
    database: config.Database,
) -> None:
    async def run() -> None:
        await migrate(database)
        async with open_database(database) as opened, Store(opened).transaction() as store:
            known = await store.systems.ensure("pc-2", "pc-2.hq.test", 3)
            made = await store.systems.import_new(["pc-1.hq.test", "pc-2.tokyo.test", "bare"], 2)
            assert set(made) == {"pc-1.hq.test", "bare"}
            systems = {system.name: system for system in await store.systems.all()}
            assert (systems["pc-1"].fqdn, systems["pc-1"].group_id) == ("pc-1.hq.test", 2)
            assert (systems["bare"].fqdn, systems["bare"].id) == ("", made["bare"])
            assert systems["pc-2"].id == known.id
            assert (await store.systems.ensure("pc-1", "pc-1.hq.test", 3)).id == made["pc-1.hq.test"]
            assert await store.systems.import_new(["pc-1.hq.test", "bare"], 2) == {}

    asyncio.run(run())
