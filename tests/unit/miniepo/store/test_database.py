"""Which of PostgreSQL's noes mean that the database is not there, and when a connection is trusted."""

import asyncio
from typing import Any, cast

import psycopg
import pytest

from miniepo.errors import DatabaseUnavailableError, DuplicateError, StoreError, UnstorableError
from miniepo.store.database import Database, Used
from tests.unit.miniepo.standins import SetClock


class Pool:
    """A pool whose connections say no."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def connection(self) -> object:
        raise self._error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.errors.LockNotAvailable("55P03"), StoreError),
        (psycopg.errors.DeadlockDetected("40P01"), StoreError),
        (psycopg.errors.QueryCanceled("57014"), StoreError),
        (psycopg.errors.ProgramLimitExceeded("54000"), StoreError),
        (psycopg.errors.StatementTooComplex("54001"), StoreError),
        (psycopg.errors.AdminShutdown("57P01"), DatabaseUnavailableError),
        (psycopg.OperationalError("connection refused"), DatabaseUnavailableError),
        (psycopg.errors.UniqueViolation("23505"), DuplicateError),
        (psycopg.errors.UntranslatableCharacter("22P05"), UnstorableError),
    ],
)
def test_only_who_is_not_there_is_unavailable(error: Exception, kind: type[StoreError]) -> None:
    with pytest.raises(StoreError) as raised:
        asyncio.run(Database(cast(Any, Pool(error))).run("work/announce", channel="x"))
    assert raised.type is kind


class AskedConnection:
    """Counts how often it is asked whether it works."""

    autocommit = True

    def __init__(self) -> None:
        self.asked = 0

    async def execute(self, query: str) -> None:
        self.asked += 1


def test_a_connection_is_asked_whether_it_works_unless_it_has_just_worked() -> None:
    clock, connection = SetClock(), AskedConnection()
    used = Used(clock)

    async def run() -> list[int]:
        counts = []
        for pause in (0.0, 0.4, 0.2, 10.0):
            clock.at += pause
            await used.check(cast(Any, connection))
            counts.append(connection.asked)
            if pause != 0.4:
                await used.note(cast(Any, connection))
        return counts

    assert asyncio.run(run()) == [1, 1, 2, 3]
