"""Events into the database, as a handler stores them, against a plain COPY of the same rows.

Floor: one COPY of all rows, text made beforehand, into EPOEvents itself with its indexes. Ours: the same events through
the store, as the handler gives them to it: messages of 100 from many agents, so many at a time; each row stored once
however often it comes. The wire is not in that figure. The last line is the whole way, for which there is no bound:
a swarm of agents with the same events in their spools, envelopes, TLS and acknowledgements included, generator and
handler on the same cores.

Promise: at least 50 % of the floor's rows per second; every event is there once.

    sudo .venv/bin/python -m benchmarks.ingest [--rows 40000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psycopg

from benchmarks.swarm import line, postgres
from miniepo import config
from miniepo.protocol.agent_session import EVENTS_PER_MESSAGE
from miniepo.protocol.messages import Event
from miniepo.store.database import open_database
from miniepo.store.event_rows import Delivered
from miniepo.store.migrate import migrate
from miniepo.store.store import Store
from miniepo.wire.control import ask
from tests.integration.miniepo.field import Field, open_field
from tests.integration.miniepo.swarming import start_swarm

LEAST_RATIO = 0.5
AGENTS = 64
"""So many agents deliver at the same time."""
FIELDS = {
    "Analyzer": "VIRUSCAN8800",
    "AnalyzerName": "VirusScan Enterprise",
    "AnalyzerVersion": "8.8",
    "AnalyzerHostName": "pc-0001",
    "SourceProcessName": "C:\\Windows\\Temp\\x7f3a.exe",
    "TargetHostName": "pc-0001",
    "TargetFileName": "C:\\Program Files\\McAfee\\VirusScan Enterprise\\mfeann.exe",
    "ThreatName": "Common Standard Protection:Prevent Termination of McAfee Services",
    "ThreatType": "access protection",
    "ThreatActionTaken": "blocked",
}
COLUMNS = "ServerID, DetectedUTC, EventTimeLocal, AgentGUID, EventKey, EventText, ThreatEventID, ThreatSeverity"


def deliveries(rows: int, leaf_id: int) -> list[Delivered]:
    """The messages of many agents with so many events in all; the story is that of the source (domain §6.6)."""
    made = []
    for number in range(rows // EVENTS_PER_MESSAGE):
        guid = f"00000000-0000-4000-8000-{number % AGENTS:012d}"
        events = tuple(
            Event(
                key=f"{number:06d}-{index:03d}-7f3a-4000-8000",
                kind="threat",
                event_id=1092,
                severity=2,
                detected=1.7e9 + number,
                text="access protection rule",
                fields=FIELDS,
            )
            for index in range(EVENTS_PER_MESSAGE)
        )
        made.append(Delivered("hq/epo", guid, leaf_id, events))
    return made


def as_copy_text(messages: Sequence[Delivered]) -> bytes:
    """The rows as COPY reads them."""
    lines = []
    tail = "\t".join(value.replace("\\", "\\\\") for value in FIELDS.values())
    for message in messages:
        for event in message.events:
            at = datetime.fromtimestamp(event.detected, UTC).isoformat()
            row = (message.server_id, at, at, message.guid, event.key, event.text, event.event_id, event.severity)
            lines.append("\t".join(map(str, row)) + f"\t{tail}\n")
    return "".join(lines).encode()


def copy_seconds(connection: psycopg.Connection, text: bytes) -> float:
    """Seconds of one COPY, committed."""
    began = time.monotonic()
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY EPOEvents ({COLUMNS}, {', '.join(FIELDS)}) FROM STDIN") as copy,
    ):
        copy.write(text)
    connection.commit()
    return time.monotonic() - began


async def store_seconds(database: config.Database, messages: Sequence[Delivered]) -> float:
    """Seconds until the last of all messages is stored; each agent waits for its answer before it says more."""

    async def deliver(store: Store, own: Sequence[Delivered]) -> None:
        for message in own:
            await store.events.add(message)

    async with open_database(database, connections=16) as opened:
        store = Store(opened)
        await store.events.list("nobody")
        began = time.monotonic()
        async with asyncio.TaskGroup() as agents:
            for number in range(AGENTS):
                agents.create_task(deliver(store, messages[number::AGENTS]))
        return time.monotonic() - began


def measured(database: config.Database, rows: int, rounds: int) -> tuple[list[float], list[float], int]:
    """Rows per second of the floor and of the store, in turns on an empty table, and how many rows were not stored."""
    messages = deliveries(rows, leaf_id=1)
    text, floor, ours, missing = as_copy_text(messages), [], [], 0
    with psycopg.connect(host=database.host, user=database.user, dbname=database.name) as connection:
        for _ in range(rounds):
            empty(connection)
            floor.append(rows / copy_seconds(connection, text))
            empty(connection)
            ours.append(rows / asyncio.run(store_seconds(database, messages)))
            stored = connection.execute("SELECT count(DISTINCT EventKey) FROM EPOEvents").fetchone()
            missing += rows - int(stored[0]) if stored else rows
    return floor, ours, missing


def empty(connection: psycopg.Connection) -> None:
    connection.execute("TRUNCATE EPOEvents")
    connection.commit()
    connection.autocommit = True
    connection.execute("CHECKPOINT")
    connection.autocommit = False


def whole_way(field: Field, rows: int) -> tuple[float, int]:
    """Rows per second from the agents' spools to the database, and how many are not there once."""
    field.log_level = "INFO"
    field.handler("hq/epo")
    each = rows // AGENTS
    swarm = start_swarm(field, "crowd", AGENTS, AGENTS)
    swarm.until(lambda status: status["called_in"] == AGENTS, 120)
    order = {"order": "event", "event_id": 1092, "severity": 5, "count": each, "fields": FIELDS, "text": "rule"}
    say(swarm.state, order)
    began = time.monotonic()
    say(swarm.state, {"order": "callin"})
    seconds = time.monotonic() - began
    with psycopg.connect(host=field.database.host, user="epo", dbname=field.database.name) as connection:
        found = connection.execute("SELECT count(*), count(DISTINCT EventKey) FROM EPOEvents").fetchone()
    assert found is not None
    return each * AGENTS / seconds, abs(each * AGENTS - found[0]) + found[0] - found[1]


def say(state: Path, order: dict[str, object]) -> None:
    reply = msgspec.json.decode(asyncio.run(ask(state / "control.sock", msgspec.json.encode(order) + b"\n", 900)))
    if not reply["ok"] or reply["result"].get("failures"):
        sys.exit(f"{order['order']}: {reply}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-ingest-") as folder, postgres() as database:
        Path(folder).chmod(0o711)
        asyncio.run(migrate(database))
        floor, ours, missing = measured(database, args.rows, args.rounds)
        with psycopg.connect(host=database.host, user=database.user, dbname=database.name) as connection:
            empty(connection)
        with open_field(Path(folder), database) as field:
            whole, lost = whole_way(field, args.rows // 4)
    rates = statistics.median(floor), statistics.median(ours)
    print(f"floor     {rates[0]:8.0f} rows/s by one COPY into the same table")
    print(
        f"store     {rates[1]:8.0f} rows/s, {EVENTS_PER_MESSAGE} a message, {AGENTS} agents at once, without the wire"
    )
    print(f"whole way {whole:8.0f} rows/s, {whole / rates[0]:.2f} x floor: agents, envelopes and TLS on the same cores")
    held = [
        line(f"ratio {rates[1] / rates[0]:6.2f} x floor, bound {LEAST_RATIO}", rates[1] >= LEAST_RATIO * rates[0]),
        line(f"lost or twice {missing + lost} events, bound 0", missing == lost == 0),
    ]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
