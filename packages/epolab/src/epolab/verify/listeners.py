"""Who listens on a TCP port of a node: user, process and family of each socket."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from epolab.verify.witness import Witness


@dataclass(frozen=True, slots=True)
class Listener:
    """One listening socket; `process` is empty when it does not belong to the user who was asked about."""

    family: Literal[4, 6]
    user: str
    process: str
    text: str


def listening(witness: Witness, path: str, port: int, user: str) -> list[Listener]:
    """The sockets that listen on a port.

    In a container root may not look into other users' processes, so the process' name is asked for as its user.
    """
    quoted = f"'sport = :{port}'"
    owned = witness.must(path, f"ss -Hltne {quoted}").splitlines()
    named = witness.must(path, f"runuser -u {user} -- ss -Hltnp {quoted}").splitlines()
    users = dict(line.split(":")[2::-2] for line in witness.must(path, "getent passwd").splitlines())
    return read_listeners(owned, named, users)


def read_listeners(owned: Sequence[str], named: Sequence[str], users: dict[str, str]) -> list[Listener]:
    """Sockets from lines of `ss -e` and `ss -p`; `users` are names by number."""
    processes = {_address(line): _first(r'users:\(\("([^"]+)"', line) for line in named}
    found = []
    for line in owned:
        number = _first(r"uid:(\d+)", line) or "0"
        address = _address(line)
        family: Literal[4, 6] = 6 if address.startswith("[") else 4
        user = users.get(number, number)
        process = processes.get(address, "")
        found.append(Listener(family, user, process, f"{address} by {process or 'another process'} of {user}"))
    return found


def _address(line: str) -> str:
    return line.split()[3]


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""
