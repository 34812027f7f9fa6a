"""The schema file says what all migrations together make."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import psycopg
import pytest

from miniepo import config
from miniepo.store.migrate import is_current, migrate, migrations
from miniepo.store.queries import read_sql

pytestmark = pytest.mark.integration


def _dump(database: config.Database, *options: str) -> str:
    binary = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))[-1]
    argv = [str(binary), "-h", database.host, "-U", database.user, "-d", database.name, "-T", "schemamigration"]
    dumped = subprocess.run([*argv, *options], capture_output=True, text=True, check=True).stdout
    return "\n".join(line for line in dumped.splitlines() if not line.startswith("\\"))


def test_schema_is_the_sum_of_the_migrations(cluster) -> None:
    migrated, declared = cluster.create_database("migrated"), cluster.create_database("declared")
    assert asyncio.run(migrate(migrated)) == migrations()
    with psycopg.connect(host=declared.host, user="epo", dbname="declared") as connection:
        connection.execute(read_sql("schema", "schema.sql"))
    assert _dump(migrated, "--schema-only") == _dump(declared, "--schema-only")
    assert _dump(migrated, "--data-only", "--inserts") == _dump(declared, "--data-only", "--inserts")


def test_migrating_again_changes_nothing(database: config.Database) -> None:
    assert not asyncio.run(is_current(database))
    asyncio.run(migrate(database))
    assert asyncio.run(migrate(database)) == ()
    assert asyncio.run(is_current(database))
