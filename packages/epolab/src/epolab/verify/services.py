"""Stopping a service of a node for the length of a check; the journal starts it again after a kill."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from epolab.hands.journal import Undo
from epolab.hands.until import until
from epolab.verify.witness import Witness

PATIENCE_SECONDS = 60
SOON_SECONDS = 5
SERVES_WITHIN_SECONDS = 60.0
HANDLER = "miniepo-handler"
RELAY = "cmamesh"


def stop_text(service: str) -> str:
    """The shell command that ends a service and waits until it is down."""
    folder = f"/etc/service/{service}"
    return f"sv down {folder} && {_soon(folder, 'down')} || sv -w {PATIENCE_SECONDS} force-stop {folder}"


def start_text(service: str) -> str:
    """The shell command that starts a service and waits until it runs."""
    folder = f"/etc/service/{service}"
    return f"sv up {folder} && {_soon(folder, 'run')} || sv -w {PATIENCE_SECONDS} up {folder}"


def _soon(folder: str, state: str) -> str:
    """Whether a service is in a state within a few seconds; `sv` itself looks twice a second only."""
    return f"timeout {SOON_SECONDS} sh -c 'until grep -qx {state} {folder}/supervise/stat; do sleep 0.02; done'"


def answers(witness: Witness, path: str, port: int) -> bool:
    """Whether something listens on a TCP port of a node."""
    return bool(witness.must(path, f"ss -Hltn 'sport = :{port}'").strip())


@contextmanager
def stopped(witness: Witness, ports: Mapping[str, int], service: str) -> Iterator[None]:
    """A service of some nodes (paths, with the port it serves) is down for the block, and serves again afterwards."""
    undos = [Undo(path, start_text(service), f"{service} stopped") for path in ports]
    with witness.journal.undone_by(*undos), ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda path: witness.must(path, stop_text(service)), ports))
        yield
    for path, port in ports.items():
        until(
            lambda path=path, port=port: answers(witness, path, port),  # type: ignore[misc]
            what=f"{service} of {path} listens on {port}",
            limit_seconds=SERVES_WITHIN_SECONDS,
        )
