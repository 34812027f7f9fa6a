"""An ASCI round of 4,000 agents through one handler, against a bare endpoint that stores the same bytes.

Everything is real but the network: TLS with client certificates, PostgreSQL with its durability, `miniepo swarm` as the
generator, all of it on the same cores. The floor is a bare ASGI endpoint under uvicorn, which inserts the body of each
request into a table of the same PostgreSQL and answers with a sealed envelope that it has ready; the generator is the
same swarm, which does the same for it: a connection for each call, the same sealed messages, the answers' seals opened.
Rounds alternate, medians count.

Promises: at least 50 % of the floor's calls per second, no call lost, 99 % of the calls within 2 s.

    sudo .venv/bin/python -m benchmarks.swarm [--agents 4000] [--rounds 3] [--parallel 64]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import pwd
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from nacl.signing import SigningKey

from miniepo import config, log
from miniepo.agent.connector import Line
from miniepo.clock import SystemEntropy
from miniepo.protocol import codec, signing
from miniepo.protocol.messages import FromAgent, Package, PropsVersion, RequestProps, ToAgent
from miniepo.protocol.sitelist import Site
from miniepo.swarm.app import Swarm
from miniepo.swarm.member import BoundedCommunication, Member
from miniepo.wire.control import ask
from tests.integration.miniepo.field import Field, free_port, open_field, until
from tests.integration.miniepo.swarming import start_swarm

LEAST_RATIO = 0.5
MOST_SECONDS = 2.0
LIMIT = 245
NEVER = 1e9
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
SINK = """CREATE TABLE sink (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, received timestamptz DEFAULT now(), body bytea)"""


@contextlib.contextmanager
def postgres() -> Iterator[config.Database]:
    """A cluster that keeps what it says it keeps: fsync and synchronous commits are on, as in a lab."""
    account = "postgres" if os.geteuid() == 0 else None

    def run(*argv: str) -> None:
        subprocess.run(argv, user=account, check=True, stdout=subprocess.DEVNULL, cwd="/")

    with contextlib.ExitStack() as made:
        directory = Path(made.enter_context(tempfile.TemporaryDirectory(prefix="bench-pg-")))
        if account:
            os.chown(directory, pwd.getpwnam(account).pw_uid, -1)
        run(str(BINARIES / "initdb"), "-D", f"{directory}/data", "-U", "epo", "-A", "trust")
        options = f"-k {directory} -c listen_addresses= -c max_connections=100"
        control = (str(BINARIES / "pg_ctl"), "-D", f"{directory}/data", "-w", "-l", f"{directory}/log")
        run(*control, "-o", options, "start")
        made.callback(run, *control, "-m", "fast", "stop")
        with psycopg.connect(host=str(directory), user="epo", dbname="postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE epo")
        yield config.Database(host=str(directory), name="epo", user="epo")


# --- the floor: an endpoint and the same generator before it ----------------------------------------------------------


def serve_bare(folder: Path) -> None:
    """Run the bare endpoint."""
    import uvicorn
    from psycopg_pool import AsyncConnectionPool

    told = json.loads((folder / "bare.json").read_text())
    key = signing.load_signing_key(folder / "assc.key")
    answers = [canned(key, RequestProps(kind="incremental")), canned(key, Package(channel_waits=False))]
    pool = AsyncConnectionPool(told["database"], min_size=1, max_size=16, kwargs={"autocommit": True}, open=False)
    asked: dict[Any, int] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        async with pool.connection() as connection:
            await connection.execute("INSERT INTO sink (body) VALUES (%s)", [body])
        turn = asked.pop(scope["client"], 0)
        if not turn:
            asked[scope["client"]] = 1
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": answers[turn]})

    async def run() -> None:
        await pool.open()
        settings = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=told["port"],
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_level="warning",
            access_log=False,
            ssl_certfile=told["tls"]["certificate"],
            ssl_keyfile=told["tls"]["key"],
            ssl_ca_certs=told["tls"]["ca"],
            ssl_cert_reqs=2,
        )
        await uvicorn.Server(settings).serve()

    asyncio.run(run())


def canned(key: SigningKey, message: ToAgent) -> bytes:
    """An answer that is ready for everybody."""
    issued = {"issued_at": time.time(), "nonce": SystemEntropy().nonce(), "reply_to": SystemEntropy().nonce()}
    return signing.seal(codec.encode(message), key, sender="bare", recipient=SystemEntropy().guid(), **issued)


class BareCommunication(BoundedCommunication):
    """An agent before the bare endpoint: its canned answers are opened like any, but are nobody's in particular."""

    site: Site

    def _ordered(self) -> tuple[Site, ...]:
        return (self.site,)

    async def _exchange(self, line: Line, message: FromAgent) -> ToAgent:
        sealed = signing.seal(
            codec.encode(message),
            self._state.key,
            sender=self._state.registration.guid,
            recipient="",
            issued_at=self._clock.now(),
            nonce=self._entropy.nonce(),
        )
        answer = await line.http.request("POST", "/spipe/pkg", sealed, (("Content-Type", "application/json"),))
        envelope = signing.open_envelope(answer.expect(200).body)
        signing.verify(envelope, self._credentials.server_key, now=self._clock.now(), max_age_seconds=86_400)
        said = codec.decode_to_agent(envelope.payload)
        wanted = RequestProps if isinstance(message, PropsVersion) else Package
        if not isinstance(said, wanted):
            raise SystemExit(f"the bare endpoint answers {said} to {message}")
        if isinstance(said, Package):
            self._channel_waits = said.channel_waits is not False  # else each agent would look at the handler's channel
        return said


class BareMember(Member):
    communication = BareCommunication


class BareSwarm(Swarm):
    member = BareMember


def generate_bare(folder: Path) -> None:
    """Run the swarm that calls the bare endpoint."""
    told = json.loads((folder / "bare.json").read_text())
    port = told["port"]
    BareCommunication.site = Site("SpipeSite", "bare", "master", 1, "localhost", port, "127.0.0.1", secure_port=port)
    log.configure("WARNING")
    settings = config.load(folder / "swarm-bare.json", config.SwarmConfig)
    asyncio.run(BareSwarm(settings, config.load(settings.agent, config.AgentConfig)).run())


# --- the measurement --------------------------------------------------------------------------------------------------


class Bench:
    """Both sides, each with its swarm; `round` has every agent of one side call in."""

    def __init__(self, field: Field, agents: int, parallel: int) -> None:
        self._field = field
        self.agents = agents
        field.log_level = "INFO"
        field.handler("hq/epo")
        began = time.monotonic()
        swarm = start_swarm(field, "crowd", agents, parallel, first_call_within_seconds=1)
        swarm.until(lambda status: status["called_in"] == agents, 900)
        self.enrolled_seconds = time.monotonic() - began
        self.ours = swarm.state
        self.resident = resident_kib(swarm.process.process.pid)
        self.bare = self._start_bare(swarm.state, parallel)

    def _start_bare(self, state: Path, parallel: int) -> Path:
        """The same agents once more, with the same keys and properties, before the bare endpoint."""
        folder = self._field.folder
        copied = folder / "state-bare"
        copied.mkdir()
        with contextlib.closing(sqlite3.connect(state / "swarm.db")) as ledger:
            ledger.execute(f"VACUUM INTO '{copied / 'swarm.db'}'")
        agent = json.loads((folder / "agent-crowd.json").read_text())
        agent |= {"state_dir": str(copied), "wakeup_port": free_port(), "first_call_within_seconds": NEVER}
        (folder / "agent-bare.json").write_text(json.dumps(agent))
        swarm = {"agent": str(folder / "agent-bare.json"), "count": self.agents, "parallel": parallel}
        (folder / "swarm-bare.json").write_text(json.dumps(swarm))
        database = self._field.database
        tls = self._field.authority.issue("bare", ["localhost", "127.0.0.1"])
        conninfo = f"host={database.host} dbname={database.name} user={database.user}"
        (folder / "bare.json").write_text(json.dumps({"port": free_port(), "tls": tls, "database": conninfo}))
        with psycopg.connect(conninfo) as connection:
            connection.execute(SINK)
        for role in ("--serve", "--generate"):
            argv = [sys.executable, "-m", "benchmarks.swarm", role, str(folder)]
            self._field.beside(argv, f"bare{role}")
        until(lambda: (copied / "status.json").exists(), 120, "the second swarm is there")
        return copied

    def round(self, state: Path) -> dict[str, Any]:
        """Every agent calls in once; what the swarm says of it."""
        line = asyncio.run(ask(state / "control.sock", b'{"order": "callin"}\n', 900))
        reply = msgspec.json.decode(line)
        if not reply["ok"]:
            sys.exit(f"the swarm did not call in: {reply['error']}")
        return dict(reply["result"])

    def count(self, sql: str) -> int:
        database = self._field.database
        with psycopg.connect(host=database.host, user=database.user, dbname=database.name) as connection:
            row = connection.execute(sql).fetchone()
            assert row is not None
            return int(row[0])


def resident_kib(pid: int) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parallel", type=int, default=64, help=f"calls at once, at most the handler's {LIMIT}")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--generate", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve_bare(args.serve) or 0
    if args.generate:
        return generate_bare(args.generate) or 0
    with tempfile.TemporaryDirectory(prefix="bench-swarm-") as folder, postgres() as database:
        Path(folder).chmod(0o711)
        with open_field(Path(folder), database) as field:
            return measure(Bench(field, args.agents, args.parallel), args.rounds, args.parallel)


def measure(bench: Bench, rounds: int, parallel: int) -> int:
    each = f"{bench.resident / bench.agents:.1f} KiB each, the process itself included"
    print(f"{bench.agents} agents enrolled in {bench.enrolled_seconds:.0f} s, {bench.resident / 1024:.0f} MiB: {each}")
    manual = "SELECT count(*) FROM AgentCallin WHERE Reason = 'manual'"
    used = "SELECT count(*) FROM AgentNonce"
    before, envelopes, ours, bare = bench.count(manual), bench.count(used), [], []
    for _ in range(rounds):
        ours.append(bench.round(bench.ours))
        bare.append(bench.round(bench.bare))
    rates = [statistics.median(each["called_in"] / each["seconds"] for each in side) for side in (ours, bare)]
    ratio, p99 = rates[0] / rates[1], max(each["call_seconds"]["99"] for each in ours)
    lost = rounds * bench.agents - (bench.count(manual) - before)
    unstored = 2 * rounds * bench.agents - bench.count("SELECT count(*) FROM sink")
    if unstored or any(each["called_in"] != bench.agents for each in bare):
        sys.exit(f"the floor is none: {unstored} bodies are not in its table; {bare[-1]['failures']}")
    strays = bench.count(used) - envelopes - 2 * rounds * bench.agents
    if strays > 0:
        sys.exit(f"the handler was sent {strays} envelopes beyond the two of each call")
    print(f"floor   {rates[1]:7.1f} calls/s, 99 % within {max(each['call_seconds']['99'] for each in bare):.2f} s")
    print(f"handler {rates[0]:7.1f} calls/s, {parallel} at once (limit {LIMIT})")
    held = [
        line(f"ratio   {ratio:7.2f} x floor, bound {LEAST_RATIO}", ratio >= LEAST_RATIO),
        line(f"p99     {p99:7.2f} s, bound {MOST_SECONDS} s", p99 < MOST_SECONDS),
        line(f"lost    {lost:7} calls, bound 0", lost == 0),
    ]
    return 0 if all(held) else 1


def line(text: str, holds: bool) -> bool:
    print(f"{text}: {'holds' if holds else 'DOES NOT HOLD'}")
    return holds


if __name__ == "__main__":
    sys.exit(main())
