"""The cable's sockets and clock: one process that carries the frames of all shaped links of a fabric.

The declaration (`links.json`) says what to carry; the process reads it when it starts and whenever it is told to
over the control socket. TAPs outlive it, so that a restart loses only what was under way.
"""

from __future__ import annotations

import ctypes
import gc
import os
import select
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from epolab_fabric.cable import SECOND, Flight, Lead, Line
from epolab_fabric.control import SOCKET, Caller, listen
from epolab_fabric.documents import DEFAULT_ROOT, Documents
from epolab_fabric.namespaces import require_own_namespace
from epolab_fabric.port import Port

FRAME_BYTES = 2048
# Frames taken from one TAP before the others and the due ones get their turn.
BATCH = 32
PR_SET_TIMERSLACK = 29


@dataclass(slots=True)
class Carried:
    """A link as it is carried: both ports, each with the line that leads away from it."""

    a: Port
    b: Port


class Cable:
    """Carries every declared link; `step` is one turn of the loop."""

    def __init__(self, documents: Documents, control: Path) -> None:
        self._documents = documents
        self._flight: Flight[tuple[Port, Line]] = Flight()
        self._lead = Lead()
        self._links: dict[str, Carried] = {}
        self._lives = select.epoll()
        self._listener = listen(control)
        self._handlers: dict[int, Callable[[], None]] = {}
        self._watch: list[int] = []
        self._callers: dict[int, Caller] = {}
        self.scheduling = "normal"
        self._rewatch()

    def reload(self) -> dict[str, str]:
        """Carry exactly what is declared; answers what could not be attached, by link."""
        declared = {name: link for name, link in (self._documents.read("links") or {}).items() if _shaped(link)}
        for name in self._links.keys() - declared.keys():
            self._drop(self._links.pop(name))
        for name, link in declared.items():
            self._carry(name, link)
        self._rewatch()
        return {name: error for name, link in self._links.items() if (error := link.a.error or link.b.error)}

    def step(self, now: Callable[[], int] = time.monotonic_ns) -> None:
        """Wait for a frame, a due time, a router's end or a question, and deal with what has come."""
        due = self._flight.next_arrival()
        timeout = None if due is None else max(0, due - self._lead.nanoseconds - now()) / SECOND
        ready, _, _ = select.select(self._watch, (), (), timeout)
        for descriptor in ready:
            handler = self._handlers.get(descriptor)
            if handler is not None:
                handler()
        self._deliver(now())

    def close(self) -> None:
        """Let go of every TAP and stop answering."""
        for link in self._links.values():
            self._drop(link)
        self._links.clear()
        self._listener.close()
        self._lives.close()

    def _carry(self, name: str, link: Mapping[str, Any]) -> None:
        carried = self._links.get(name)
        if carried is None:
            carried = Carried(_port(link["a"]), _port(link["b"]))
        for side in ("a", "b"):
            port: Port = getattr(carried, side)
            if not port.is_for(link[side]):
                self._release(port)
                port.pid, port.inode, port.interface = (link[side][key] for key in ("pid", "inode", "interface"))
            if not port.attached:
                self._attach(port)
        carried.a.line.reshape(**link["a_to_b"])
        carried.b.line.reshape(**link["b_to_a"])
        self._links[name] = carried

    def _attach(self, port: Port) -> None:
        port.attach()
        if port.life is not None:
            self._lives.register(port.life, select.EPOLLIN)

    def _release(self, port: Port) -> None:
        if port.life is not None:
            self._lives.unregister(port.life)
        port.detach()

    def _drop(self, link: Carried) -> None:
        self._release(link.a)
        self._release(link.b)

    def _directions(self) -> Iterator[tuple[Port, Port]]:
        for link in self._links.values():
            yield link.a, link.b
            yield link.b, link.a

    def _rewatch(self) -> None:
        handlers: dict[int, Callable[[], None]] = {
            self._listener.fileno(): self._accept,
            self._lives.fileno(): self._bury,
        }
        for near, far in self._directions():
            if near.tap is not None:
                handlers[near.tap] = self._taker(near, near.tap, far)
        for descriptor, caller in self._callers.items():
            handlers[descriptor] = self._listener_to(descriptor, caller)
        self._handlers, self._watch = handlers, list(handlers)

    def _taker(self, near: Port, tap: int, far: Port) -> Callable[[], None]:
        line, flight, read, clock = near.line, self._flight, os.read, time.monotonic_ns
        offer, push, target = line.offer, flight.push, (far, line)

        def take() -> None:
            try:
                for _ in range(BATCH):
                    frame = read(tap, FRAME_BYTES)
                    arrival = offer(clock(), len(frame))
                    if arrival is not None:
                        push(arrival, target, frame)
            except BlockingIOError:
                return
            except OSError as error:  # The device was removed under us.
                self._lose(near, f"{near.interface}: {error.strerror}")

        return take

    def _deliver(self, now: int) -> None:
        write, due, soon = os.write, self._flight.next_arrival(), now + self._lead.nanoseconds
        if due is None or due > soon:
            return
        self._lead.observe(now - due)
        for (port, line), frame in self._flight.due(soon):
            try:
                if port.tap is None:
                    raise OSError
                write(port.tap, frame)
            except OSError:  # The far router is gone, or its interface is down: the frame falls off the line's end.
                line.counters.dropped += 1
            else:
                line.delivered(len(frame))

    def _lose(self, port: Port, reason: str) -> None:
        self._release(port)
        port.error = reason
        self._rewatch()

    def _bury(self) -> None:
        ended = {descriptor for descriptor, _ in self._lives.poll(0)}
        for port, _ in list(self._directions()):
            if port.life in ended:
                self._lose(port, f"process {port.pid} has ended")

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        self._callers[connection.fileno()] = Caller(connection, self._answer)
        self._rewatch()

    def _listener_to(self, descriptor: int, caller: Caller) -> Callable[[], None]:
        def advance() -> None:
            if not caller.advance():
                del self._callers[descriptor]
                self._rewatch()
                caller.connection.close()

        return advance

    def _answer(self, request: Mapping[str, Any]) -> Any:
        operations: dict[str, Callable[[], Any]] = {
            "reload": self.reload,
            "counters": self._counters,
            "state": self._state,
        }
        return operations[request["op"]]()

    def _counters(self) -> dict[str, Any]:
        return {
            name: {"a_to_b": asdict(link.a.line.counters), "b_to_a": asdict(link.b.line.counters)}
            for name, link in self._links.items()
        }

    def _state(self) -> dict[str, Any]:
        links = {
            name: {side: {"attached": port.attached, "error": port.error} for side, port in (("a", it.a), ("b", it.b))}
            for name, it in self._links.items()
        }
        return {"scheduling": self.scheduling, "under_way": len(self._flight), "links": links}


def _shaped(link: Mapping[str, Any]) -> bool:
    return bool(link["driver"] == "cable")


def _port(end: Mapping[str, Any]) -> Port:
    return Port(end["pid"], end["inode"], end["interface"], Line(Random()))


def prefer_this_process() -> str:
    """Be scheduled at once when a frame is due: real time if allowed, else the best nice value; says which."""
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
        return "SCHED_RR"
    except PermissionError:
        pass  # cgroup v1 gives a container no real-time share, whatever its capabilities.
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -20)
        return "nice -20"
    except PermissionError:
        return "normal"


def main() -> None:
    """Carry the declared links until killed."""
    require_own_namespace()
    cable = Cable(Documents(DEFAULT_ROOT), SOCKET)
    for name, error in cable.reload().items():
        sys.stderr.write(f"{name}: {error}\n")
    cable.scheduling = prefer_this_process()
    while True:
        cable.step()


if __name__ == "__main__":
    main()
