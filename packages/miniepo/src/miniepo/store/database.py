"""How a query reaches PostgreSQL and what comes back; psycopg's errors become the store's at this door."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import msgspec
import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb, set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from miniepo import config, log
from miniepo.clock import Clock, SystemClock
from miniepo.errors import DatabaseUnavailableError, DuplicateError, StoreError, UnstorableError
from miniepo.store import queries

Row = TypeVar("Row")
_CONNECT_SECONDS = 3
_WAIT_SECONDS = 4.0
_TRUSTED_SECONDS = 0.5
_REFUSALS = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.QueryCanceled,
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
)
"""psycopg counts them as operational, but the database is there: it is this statement that it does not carry out."""
set_json_loads(msgspec.json.decode)
# the pool repeats on its own what every query that fails says anyway
log.logger("psycopg.pool").setLevel("ERROR")


def conninfo(database: config.Database) -> str:
    """The connection string of a configured database; the password comes from its file."""
    password = config.read_secret(database.password_file) if database.password_file else None
    return make_conninfo(
        host=database.host,
        port=database.port,
        dbname=database.name,
        user=database.user,
        password=password,
        connect_timeout=_CONNECT_SECONDS,
        application_name="miniepo",
        options="-c statement_timeout=30s -c lock_timeout=10s",
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=2,
        tcp_user_timeout=15000,
    )


class Database:
    """Runs named queries, each in its own transaction, or all in one inside `transaction()`.

    Outside of a transaction connections commit on their own: a query is one round trip and not three.
    """

    def __init__(self, pool: AsyncConnectionPool, connection: psycopg.AsyncConnection[Any] | None = None) -> None:
        self._pool = pool
        self._connection = connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Database]:
        """A database whose queries are one transaction."""
        with _translated():
            async with self._pool.connection() as connection, connection.transaction():
                yield Database(self._pool, connection)

    async def rows(self, query: str, kind: type[Row], /, **parameters: Any) -> list[Row]:
        """Every row as a record of `kind`."""
        with _translated():
            async with self._borrowed() as connection, connection.cursor(row_factory=class_row(kind)) as cursor:
                await cursor.execute(queries.query(query), parameters)
                return await cursor.fetchall()

    async def row(self, query: str, kind: type[Row], /, **parameters: Any) -> Row | None:
        """The first row as a record, if there is one."""
        found = await self.rows(query, kind, **parameters)
        return found[0] if found else None

    async def records(self, query: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """Every row as a dictionary by column name."""
        with _translated():
            async with self._borrowed() as connection, connection.cursor(row_factory=dict_row) as cursor:
                await cursor.execute(queries.query(query), parameters)
                return await cursor.fetchall()

    async def value(self, query: str, /, **parameters: Any) -> Any:
        """The first column of the first row, or None."""
        found = await self.records(query, **parameters)
        return next(iter(found[0].values())) if found else None

    async def run(self, query: str, /, **parameters: Any) -> int:
        """Execute for its effect; the number of rows that it touched."""
        with _translated():
            async with self._borrowed() as connection, connection.cursor() as cursor:
                await cursor.execute(queries.query(query), parameters)
                return cursor.rowcount

    async def run_many(self, query: str, parameters: Sequence[dict[str, Any]]) -> None:
        """Execute once per set of parameters."""
        with _translated():
            async with self._borrowed() as connection, connection.transaction(), connection.cursor() as cursor:
                await cursor.executemany(queries.query(query), parameters)

    async def copy(self, query: str, lines: Sequence[str]) -> None:
        """COPY these lines of text in, all or none; DuplicateError if one of them is there already."""
        if not lines:
            return
        with _translated():
            async with (
                self._borrowed() as connection,
                connection.cursor() as cursor,
                cursor.copy(queries.query(query)) as copy,
            ):
                await copy.write("\n".join(lines) + "\n")

    @asynccontextmanager
    async def _borrowed(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        if self._connection is not None:
            yield self._connection
            return
        async with self._pool.connection() as connection:
            yield connection


class Used:
    """When each connection of a pool was last given back: one that has just worked is not asked whether it does."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at: WeakKeyDictionary[psycopg.AsyncConnection[Any], float] = WeakKeyDictionary()

    async def note(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """It is given back."""
        self._at[connection] = self._clock.monotonic()

    async def check(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """It is about to be lent; raises psycopg's error if it is of no use."""
        if self._clock.monotonic() - self._at.get(connection, -math.inf) > _TRUSTED_SECONDS:
            await AsyncConnectionPool.check_connection(connection)


@asynccontextmanager
async def open_database(database: config.Database, connections: int = 8) -> AsyncIterator[Database]:
    """A database that is open for the length of the block; the server behind it may come and go meanwhile."""
    used = Used(SystemClock())
    pool = AsyncConnectionPool(
        conninfo(database),
        min_size=1,
        max_size=connections,
        timeout=_WAIT_SECONDS,
        reconnect_timeout=5,
        check=used.check,
        reset=used.note,
        kwargs={"autocommit": True},
        open=False,
    )
    await pool.open()
    try:
        yield Database(pool)
    finally:
        await pool.close()


def unavailable(error: Exception) -> DatabaseUnavailableError:
    """The store's error for a database that cannot be used; libpq's account of every address tried stays out."""
    first_line = next(iter(str(error).splitlines()), type(error).__name__)
    return DatabaseUnavailableError(f"PostgreSQL does not answer: {first_line}")


def json_value(value: Any) -> Jsonb:
    """A parameter for a jsonb column."""
    return Jsonb(value)


def json_rows(rows: Sequence[Any]) -> str:
    """A parameter for `jsonb_to_recordset`: records or dictionaries, each a row."""
    return msgspec.json.encode(rows).decode()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _REFUSALS as error:
        raise StoreError(f"PostgreSQL refused: {error}".strip()) from error
    except (PoolTimeout, psycopg.OperationalError) as error:
        raise unavailable(error) from error
    except psycopg.errors.UniqueViolation as error:
        raise DuplicateError(f"PostgreSQL refused: {error}".strip()) from error
    except psycopg.DataError as error:
        raise UnstorableError(f"PostgreSQL refused: {error}".strip()) from error
    except psycopg.Error as error:
        raise StoreError(f"PostgreSQL refused: {error}".strip()) from error
