"""How a database comes to the newest schema: every migration once, in order, under an advisory lock."""

from __future__ import annotations

from importlib.resources import files

import psycopg

from miniepo import config, log
from miniepo.store.database import conninfo, unavailable
from miniepo.store.queries import read_sql

_LOCK = 0x65504F
_logger = log.logger("store.migrate")


def migrations() -> tuple[str, ...]:
    """The file names of all migrations, oldest first."""
    folder = files(__package__).joinpath("sql", "migrations")
    return tuple(sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql")))


async def migrate(database: config.Database) -> tuple[str, ...]:
    """Bring the database to the newest schema; the migrations that were missing. Raises DatabaseUnavailableError."""
    try:
        connection = await psycopg.AsyncConnection.connect(conninfo(database))
        async with connection:
            return await _apply_missing(connection)
    except psycopg.OperationalError as error:
        raise unavailable(error) from error


async def _apply_missing(connection: psycopg.AsyncConnection) -> tuple[str, ...]:
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    await connection.execute("CREATE TABLE IF NOT EXISTS SchemaMigration (Name text PRIMARY KEY)")
    cursor = await connection.execute("SELECT Name FROM SchemaMigration")
    done = {row[0] for row in await cursor.fetchall()}
    missing = tuple(name for name in migrations() if name not in done)
    for name in missing:
        await connection.execute(read_sql("migrations", name))
        await connection.execute("INSERT INTO SchemaMigration VALUES (%s)", [name])
        _logger.info("applied migration %s", name)
    return missing


async def is_current(database: config.Database) -> bool:
    """Whether every migration is there: a handler starts its work only then."""
    try:
        connection = await psycopg.AsyncConnection.connect(conninfo(database))
        async with connection:
            cursor = await connection.execute("SELECT Name FROM SchemaMigration")
            return set(migrations()) <= {row[0] for row in await cursor.fetchall()}
    except psycopg.errors.UndefinedTable:
        return False
    except psycopg.OperationalError as error:
        raise unavailable(error) from error
