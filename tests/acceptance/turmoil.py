"""A lab in turmoil: its processes are killed one after the other by a seeded draw, while it has work to do."""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from epolab.errors import WorldError
from epolab.verify.web_api import Upload, body_of, shell_text

Victim = tuple[str, str]
"""A node and a service of it."""
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 3.0
# the supervisor starts it again at once; a service that is being started has no process to kill
KILL = "kill -KILL $(cat /etc/service/{0}/supervise/pid)"


def attempt(lab: str, node: str, script: str, limit_seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a shell command on a node that may fail, as everything may in turmoil."""
    container = f"{lab}.{node.replace('/', '.')}"
    argv = ["docker", "exec", container, "bash", "-c", script]
    return subprocess.run(argv, capture_output=True, text=True, timeout=limit_seconds)


def insist(what: Callable[[], bool], limit_seconds: float, name: str) -> int:
    """Try until it succeeds; how often it failed before."""
    end = time.monotonic() + limit_seconds
    failed = 0
    while not what():
        failed += 1
        assert time.monotonic() < end, f"{name}: not within {limit_seconds} s"
        time.sleep(0.2)
    return failed


class Killer:
    """Kills victims in a seeded order at seeded moments, each of them equally often, until it is told to stop."""

    def __init__(self, lab: str, victims: Sequence[Victim], seed: int) -> None:
        self._lab = lab
        self._victims = victims
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self.kills: Counter[str] = Counter()
        self.failures: list[str] = []

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """It kills while the block runs."""
        thread = threading.Thread(target=self._work)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _work(self) -> None:
        for node, service in self._draws():
            if self._stop.wait(self._random.uniform(SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)):
                return
            if attempt(self._lab, node, KILL.format(service)).returncode == 0:
                self.kills[f"{service} on {node}"] += 1

    def _draws(self) -> Iterator[Victim]:
        while True:
            yield from self._random.sample(self._victims, len(self._victims))


class Sender:
    """Has one agent send events, each with a key of its own; an order whose fate is unknown is given again.

    `due` tells from the part of its orders that it has given (0 to 1) whether the next one is to be given yet.
    """

    def __init__(self, lab: str, node: str, count: int, in_one_order: int, due: Callable[[float], bool]) -> None:
        self._lab = lab
        self._node = node
        self._orders = [f"{node.partition('/')[2]}-{number}" for number in range(count // in_one_order)]
        self._in_one_order = in_one_order
        self._due = due
        self.repeated = 0

    def send(self) -> None:
        """Give every order."""
        for number, key in enumerate(self._orders):
            insist(partial(self._due, number / len(self._orders)), 180, f"{self._node}: {key} is due")
            words = f"miniepo ctl event --id 1092 --severity 5 --text turmoil --count {self._in_one_order} --key {key}"
            taken = lambda words=words: attempt(self._lab, self._node, words).returncode == 0  # noqa: E731
            self.repeated += insist(taken, 120, f"{self._node}: {key}")


class WebApi:
    """The Web API of a server that may be down at the moment."""

    def __init__(self, lab: str, server: str) -> None:
        self._lab = lab
        self._server = server

    def ask(self, command: str, upload: Upload | None = None, **words: str) -> Any:
        """A reply, once there is one. Only for what may be said twice."""
        for _ in range(150):
            try:
                return self.ask_once(command, upload, **words)
            except (WorldError, json.JSONDecodeError):
                time.sleep(0.2)
        return self.ask_once(command, upload, **words)

    def ask_once(self, command: str, upload: Upload | None = None, **words: str) -> Any:
        """A reply; raises WorldError without one."""
        return body_of(command, attempt(self._lab, self._server, shell_text(command, words, upload)).stdout)


def rows_of(lab: str, sql: str, query: str) -> list[list[str]]:
    """What a query finds in the lab's database, as text; one row with the reason while the database is not there."""
    asked = f"runuser -u postgres -- psql -XAtF '|' -d epo -c \"{query}\""
    ran = attempt(lab, sql, asked)
    if ran.returncode:
        return [[ran.stderr.strip()]]
    return [line.split("|") for line in ran.stdout.splitlines()]
