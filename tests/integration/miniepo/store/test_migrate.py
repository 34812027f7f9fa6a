"""The schema file says what all migrations together make."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

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


def test_a_database_in_use_is_upgraded_in_place(database: config.Database) -> None:
    """From the first schema, with rows of a lab in it and a reader that stays connected: nothing is lost."""
    with psycopg.connect(host=database.host, user="epo", dbname=database.name, autocommit=True) as connection:
        connection.execute(read_sql("migrations", "0001_initial.sql"))
        connection.execute("CREATE TABLE SchemaMigration (Name text PRIMARY KEY)")
        connection.execute("INSERT INTO SchemaMigration VALUES ('0001_initial.sql')")
        connection.execute(_ROWS_OF_THE_FIRST_SCHEMA)
        before = {table: _rows(connection, table) for table in _FILLED}
        assert all(before.values()), "every table of the test has rows before"
        assert not asyncio.run(is_current(database))
        assert asyncio.run(migrate(database)) == migrations()[1:]
        assert asyncio.run(is_current(database))
        for table, rows in before.items():
            columns = set(rows[0]) - _REPLACED.get(table, set())
            kept = [{name: row[name] for name in columns} for row in _rows(connection, table)]
            had = [{name: row[name] for name in columns} for row in rows]
            assert kept == had, f"{table} has the rows that it had, in the columns that it had"
        rules = _rows(connection, "EPOHandlerAssignmentRule")
        assert [rule["subnets"] for rule in rules] == [_subnets(rule) for rule in before["EPOHandlerAssignmentRule"]]


def _subnets(rule: dict[str, object]) -> list[str]:
    """What a rule of the first schema says in the list that came in place of its one subnet."""
    return [str(rule["subnet"])] if rule["subnet"] is not None else []


def _rows(connection: psycopg.Connection, table: str) -> list[dict[str, object]]:
    found = connection.cursor(row_factory=dict_row).execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
    return [dict(row) for row in found]


_FILLED = (
    "EPOBranchNode",
    "EPOAgentHandlers",
    "EPOLeafNode",
    "EPOComputerProperties",
    "EPOEvents",
    "EPOProductEvents",
    "EPOPolicyObjects",
    "EPOPolicyAssignments",
    "EPOTask",
    "EPOTaskStatus",
    "EPOHandlerAssignmentRule",
    "EPOAgentHandlerWQ",
    "OrionTaskLogTask",
    "OrionTaskLogTaskMessage",
)
_REPLACED = {"EPOHandlerAssignmentRule": {"subnet"}}
_ROWS_OF_THE_FIRST_SCHEMA = """
INSERT INTO EPOAgentHandlers (HandlerName, ComputerName, DNSName, HttpPort, HttpsPort, BuiltIn)
VALUES ('hq/epo', 'EPO', 'epo.hq.lab', 80, 443, true);
INSERT INTO EPOLeafNode (ParentID, NodeName, AgentGUID, AgentVersion, ManagedState, PublicKey)
SELECT 2, 'PC-' || n, 'GUID-' || n, '4.8.0', 1, 'key ' || n FROM generate_series(1, 500) n;
INSERT INTO EPOComputerProperties (ParentID, ComputerName, LastAgentHandler)
SELECT AutoID, NodeName, 1 FROM EPOLeafNode;
INSERT INTO EPOEvents (DetectedUTC, AgentGUID, EventKey, ThreatEventID, ThreatSeverity)
SELECT now(), 'GUID-' || n % 500, 'key-' || n, 1092, 2 FROM generate_series(1, 5000) n;
INSERT INTO EPOProductEvents (DetectedUTC, AgentGUID, EventKey, TVDEventID, TVDSeverity)
SELECT now(), 'GUID-' || n % 500, 'key-' || n, 2401, 5 FROM generate_series(1, 500) n;
INSERT INTO EPOPolicyObjects (Name, Category, Settings) VALUES ('Mine', 'agent', '{"asci_seconds": 60}');
INSERT INTO EPOPolicyAssignments (BranchNodeID, Category, PolicyObjectID) VALUES (2, 'agent', 1);
INSERT INTO EPOTask (Name, Type) VALUES ('Update', 'update');
INSERT INTO EPOTaskStatus (AgentGUID, TaskID, RunID, Status) VALUES ('GUID-1', '1', 'run', 'succeeded');
INSERT INTO EPOHandlerAssignmentRule (Priority, Subnet, UseAll, HandlerNames)
VALUES (1, '10.1.0.0/24', false, '{hq/epo}'), (2, 'fd00:1::/64', false, '{hq/epo}');
INSERT INTO EPOAgentHandlerWQ (Kind, Target, BatchUid, WakeupID, ExpiresOn) VALUES ('wakeup', 1, 'b', 'w', now());
INSERT INTO OrionTaskLogTask (Name, UserName, TaskSource, State) VALUES ('Wake Up Agents', 'admin', 'm', 'Completed');
INSERT INTO OrionTaskLogTaskMessage (TaskLogID, Message) VALUES (1, 'PC-1: completed');
"""
