"""One end of a measurement: runs on a router node, told by JSON lines what to send, and what it saw it says.

The text of this module is sent to the nodes: it may use nothing but the standard library. Endpoints are kernel
sockets on the transit link; arrival times are the kernel's (SO_TIMESTAMPNS), both ends have the same machine's clock.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import json
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

ECHO_PORT, FLOW_PORT, STREAM_PORT = 45801, 45802, 45803
SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
UDP_SEGMENT = 103
TCP_WINDOW_CLAMP = 10
PR_SET_TIMERSLACK = 29
RECEIVE_BYTES = 8_000_000
BATCH = 64
# How long the naps are by which a process that only takes a stream tells how late it wakes up.
WATCH_NS = 2_000_000
# Flow number and sequence number; a timed datagram has its time of sending behind them.
HEAD = struct.Struct("!HI")
TIMED = struct.Struct("!HIQ")
ECHO = struct.Struct("!IQQQ")
TIMESPEC = struct.Struct("@ll")


def stamp_of(ancillary: list[tuple[int, int, bytes]]) -> int:
    """When the kernel received a datagram, in nanoseconds of the day's clock."""
    for _, kind, data in ancillary:
        if kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = TIMESPEC.unpack(data[: TIMESPEC.size])
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return time.time_ns()


def datagram_socket(address: str, port: int) -> socket.socket:
    """A UDP socket whose arrivals are stamped by the kernel and that has room for a long absence."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    try:
        made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BYTES)
    except PermissionError:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    made.bind((address, port))
    made.setblocking(False)
    return made


class Oversleep:
    """How much later than asked this process woke up: the machine's own scheduling noise."""

    def __init__(self) -> None:
        self._late_ns: list[int] = []

    def wait(self, readable: socket.socket, due: int) -> None:
        """Wait until a time of the monotonic clock, or until the socket is readable.

        What came while this process was held up past that time does not hide that it was.
        """
        left = due - time.monotonic_ns()
        ready, _, _ = select.select([readable], [], [], max(0, left) / 1e9)
        self.note(left, due, woken=bool(ready))

    def note(self, left: int, due: int, *, woken: bool) -> None:
        """Note how late it is after a sleep of so long, unless it was `woken` before its time."""
        late = time.monotonic_ns() - due
        if left > 0 and (late > 0 or not woken):
            self._late_ns.append(late)

    def watch(self, over: threading.Event) -> None:
        """Sleep again and again until something else is over, and note how late each sleep ends."""
        while not over.is_set():
            due = time.monotonic_ns() + WATCH_NS
            time.sleep(WATCH_NS / 1e9)
            self.note(WATCH_NS, due, woken=False)

    def document(self) -> dict[str, Any]:
        """The 99th percentile and the worst, in milliseconds; null when it never slept."""
        late = sorted(self._late_ns)
        if not late:
            return {"p99_ms": None, "max_ms": None, "sample": 0}
        return {"p99_ms": late[int(0.99 * (len(late) - 1))] / 1e6, "max_ms": late[-1] / 1e6, "sample": len(late)}


@contextlib.contextmanager
def _watched() -> Iterator[Oversleep]:
    """The scheduling noise while the block lasts, from a thread beside it."""
    oversleep, over = Oversleep(), threading.Event()
    watch = threading.Thread(target=oversleep.watch, args=(over,), daemon=True)
    watch.start()
    try:
        yield oversleep
    finally:
        over.set()
        watch.join()


class Arrivals:
    """What came of one flow: how many, and how far apart neighbours were (a lost one between is left out).

    With `busy_ns`, neighbours count only if the later one waited so long for the line that the line never rested
    between them: what the sender's own stumbling left free says nothing about the line.
    """

    def __init__(self, flow: int, timed: bool, busy_ns: int = 0) -> None:
        self.flow, self._timed, self._busy_ns = flow, timed, busy_ns
        self._shortest_ns = 1 << 62
        self.seen: set[int] = set()
        self.last = -1
        self.pairs = self.pair_ns = self.first_at = self.last_at = 0
        self.delays_ns: list[int] = []

    def take(self, data: bytes, at: int) -> None:
        """Note one datagram; those of other flows are none of ours."""
        flow, number = HEAD.unpack_from(data)
        if flow != self.flow:
            return
        if number == self.last + 1 and self.seen and self._waited(data, at):
            self.pairs += 1
            self.pair_ns += at - self.last_at
        self.first_at = self.first_at or at
        self.last, self.last_at = number, at
        self.seen.add(number)
        if self._busy_ns:
            self._shortest_ns = min(self._shortest_ns, at - TIMED.unpack_from(data)[2])
        elif self._timed:
            self.delays_ns.append(at - TIMED.unpack_from(data)[2])

    def _waited(self, data: bytes, at: int) -> bool:
        return not self._busy_ns or at - TIMED.unpack_from(data)[2] >= self._shortest_ns + self._busy_ns

    def document(self) -> dict[str, Any]:
        """The figures of the flow."""
        spread = self.last_at - self.first_at
        return {"received": len(self.seen), "pairs": self.pairs, "pair_ns": self.pair_ns, "spread_ns": spread} | {
            "delays_ns": self.delays_ns
        }


class Endpoint:
    """The sockets of one end and the commands it understands."""

    def __init__(self, address: str) -> None:
        self._echo = datagram_socket(address, ECHO_PORT)
        self._flow = datagram_socket(address, FLOW_PORT)
        self._address = address

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """What a command saw; a failure of the network is an answer too."""
        commands: dict[str, Callable[..., dict[str, Any]]] = {
            "echo": self.echo,
            "round_trips": self.round_trips,
            "flow": self.flow,
            "receive": self.receive,
            "send": self.send,
        }
        try:
            return {"ok": True, "result": commands[request.pop("op")](**request)}
        except OSError as error:
            return {"ok": False, "error": str(error)}

    def close(self) -> None:
        """Let go of the sockets."""
        self._echo.close()
        self._flow.close()

    def echo(self, first: int, count: int, seconds: float) -> dict[str, Any]:
        """Send back what comes, with the times it came and went, until the last of `count` or the time is over.

        They are numbered from `first`; stragglers of an earlier series are dropped.
        """
        done, number, numbers = 0, -1, range(first, first + count)
        end = time.monotonic_ns() + int(seconds * 1e9)
        while number != numbers[-1] and time.monotonic_ns() < end:
            select.select([self._echo], [], [], max(0.0, (end - time.monotonic_ns()) / 1e9))
            with contextlib.suppress(BlockingIOError):
                data, ancillary, _, sender = self._echo.recvmsg(64, 64)
                number, sent, _, _ = ECHO.unpack(data)
                if number in numbers:
                    self._echo.sendto(ECHO.pack(number, sent, stamp_of(ancillary), time.time_ns()), sender)
                    done += 1
        return {"echoed": done}

    def round_trips(
        self, peer: str, first: int, count: int, pause_ms: float, patience_seconds: float
    ) -> dict[str, Any]:
        """Small datagrams to an echo and back: [round trip without the echo's own time, way there, way back] in ns.

        They are numbered from `first`; what is left of an earlier series is dropped.
        """
        series: dict[int, tuple[int, int, int]] = {}
        numbers, sent = range(first, first + count), 0
        oversleep, due = Oversleep(), time.monotonic_ns()
        end = due + int(count * pause_ms * 1e6 + patience_seconds * 1e9)
        while numbers[-1] not in series and (now := time.monotonic_ns()) < end:
            if sent < count and now >= due:
                self._echo.sendto(ECHO.pack(numbers[sent], time.time_ns(), 0, 0), (peer, ECHO_PORT))
                sent, due = sent + 1, now + int(pause_ms * 1e6)
            self._take_echoes(numbers, series)
            if numbers[-1] not in series:
                oversleep.wait(self._echo, due if sent < count else end)
        return {"series": list(series.values()), "sent": sent, "oversleep": oversleep.document()}

    def _take_echoes(self, numbers: range, series: dict[int, tuple[int, int, int]]) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data, ancillary, _, _ = self._echo.recvmsg(64, 64)
                at = stamp_of(ancillary)
                number, sent, arrived, returned = ECHO.unpack(data)
                if number in numbers:
                    series[number] = (at - sent - (returned - arrived), arrived - sent, at - returned)

    def flow(
        self,
        peer: str,
        flow: int,
        send: dict[str, Any] | None,
        expect: int,
        seconds: float,
        timed: bool = False,
        busy_ns: int = 0,
    ) -> dict[str, Any]:
        """Send a paced flow (or none) and take the peer's (`expect` datagrams, or none) at the same time."""
        sender = Sender(self._flow, (peer, FLOW_PORT), flow, **(send or {"count": 0}))
        arrivals, oversleep = Arrivals(flow, timed, busy_ns), Oversleep()
        end = time.monotonic_ns() + int(seconds * 1e9)
        while (now := time.monotonic_ns()) < end:
            sender.advance(now)
            self._take_flow(arrivals)
            if sender.done and (len(arrivals.seen) >= expect or arrivals.last == expect - 1):
                break
            oversleep.wait(self._flow, end if sender.done else sender.due)
        self._take_flow(arrivals)
        return {"sent": sender.sent, "arrivals": arrivals.document(), "oversleep": oversleep.document()}

    def _take_flow(self, arrivals: Arrivals) -> None:
        receive, take = self._flow.recvmsg, arrivals.take
        with contextlib.suppress(BlockingIOError):
            for _ in range(BATCH):
                data, ancillary, _, _ = receive(2048, 64)
                take(data, stamp_of(ancillary))

    def receive(self, warm_seconds: float, seconds: float, window_bytes: int) -> dict[str, Any]:
        """Take one TCP stream: the bytes that came in the time after it has warmed up; none where none came."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.IPPROTO_TCP, TCP_WINDOW_CLAMP, window_bytes)
            listener.bind((self._address, STREAM_PORT))
            listener.listen(1)
            listener.settimeout(warm_seconds + seconds)
            try:
                stream, _ = listener.accept()
            except TimeoutError:
                return {"bytes": 0, "seconds": seconds, "oversleep": Oversleep().document()}
        with stream, _watched() as oversleep:
            counted = _count_stream(stream, warm_seconds, seconds)
        return {**counted, "oversleep": oversleep.document()}

    def send(self, peer: str, seconds: float, attempts: int = 50) -> dict[str, Any]:
        """Send one TCP stream for as long as it is taken; says by which congestion control, null without one."""
        try:
            stream = _connect((peer, STREAM_PORT), attempts, seconds)
        except TimeoutError:
            return {"congestion_control": None}
        with stream:
            stream.settimeout(seconds)
            data, end = bytes(65536), time.monotonic() + seconds
            with contextlib.suppress(TimeoutError, BrokenPipeError, ConnectionResetError):
                while time.monotonic() < end:
                    stream.send(data)
            control = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
            return {"congestion_control": control.rstrip(b"\0").decode()}


class Sender:
    """Sends a flow at its pace, without threads: `advance` sends what is due."""

    def __init__(
        self,
        link: socket.socket,
        target: tuple[str, int],
        flow: int,
        count: int,
        payload_bytes: int = HEAD.size,
        pause_ns: int = 1,
        burst: int = 0,
        catch_up_ns: int = 0,
        at_once: int = 1,
        timed: bool = False,
    ) -> None:
        self._link, self._target, self._flow, self._timed = link, target, flow, timed
        self._count, self._pause, self._burst, self._catch_up = count, pause_ns, burst, catch_up_ns
        self._at_once, self._size = at_once, payload_bytes
        self._padding = bytes(payload_bytes - (TIMED.size if timed else HEAD.size))
        # The kernel cuts a large datagram into such pieces: one system call for many frames.
        link.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, payload_bytes if at_once > 1 else 0)
        self.sent = 0
        self.due = time.monotonic_ns()

    @property
    def done(self) -> bool:
        """Whether everything is sent."""
        return self.sent >= self._count

    def advance(self, now: int) -> None:
        """Send what is due now; never more than a batch, so that arrivals are taken in between."""
        for _ in range(BATCH):
            if self.done or self.due > now:
                return
            number = min(self._at_once, self._count - self.sent)
            data = b"".join(self._datagram(self.sent + n) for n in range(number))
            try:
                self._link.sendto(data, self._target)
            except OSError as error:
                if error.errno != errno.EIO or self._at_once == 1:
                    raise
                self._one_by_one()  # Kernels before 6.11 cut only for devices that make checksums.
                continue
            self.sent += number
            if self.sent > self._burst:
                self.due = max(self.due + number * self._pause, now - self._catch_up)

    def _one_by_one(self) -> None:
        self._at_once = 1
        self._link.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)

    def _datagram(self, number: int) -> bytes:
        if self._timed:
            return TIMED.pack(self._flow, number, time.time_ns()) + self._padding
        return HEAD.pack(self._flow, number) + self._padding


def _count_stream(stream: socket.socket, warm_seconds: float, seconds: float) -> dict[str, Any]:
    """The bytes of a stream and their time, which for one that stands still goes on as long as it was waited for."""
    start = time.monotonic()
    stream.settimeout(warm_seconds + seconds)
    total, first_at, last_at, now = 0, 0.0, 0.0, start
    while now < start + warm_seconds + seconds:
        try:
            part = stream.recv(65536)
        except TimeoutError:
            last_at, first_at = time.monotonic(), first_at or start + warm_seconds
            break
        now = time.monotonic()
        if not part:
            break
        if now >= start + warm_seconds:
            total += len(part) if first_at else 0
            first_at, last_at = first_at or now, now
    return {"bytes": total, "seconds": last_at - first_at}


def _connect(target: tuple[str, int], attempts: int, seconds: float) -> socket.socket:
    """A stream to a listener that may be a moment away from listening."""
    for attempt in range(attempts):
        try:
            return socket.create_connection(target, timeout=seconds)
        except ConnectionRefusedError:
            if attempt == attempts - 1:
                raise
            time.sleep(0.01)
    raise ConnectionRefusedError


def main() -> None:
    """Answer commands until standard input ends; the first line says which address to bind."""
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
    gc.disable()
    endpoint: Endpoint | None = None
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            if endpoint is None:
                endpoint = Endpoint(request["address"])
                answer: dict[str, Any] = {"ok": True, "result": {}}
            else:
                answer = endpoint.answer(request)
        except OSError as error:
            answer = {"ok": False, "error": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
