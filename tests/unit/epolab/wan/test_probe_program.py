"""The measuring program's own reckoning, and its two ends over loopback."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from epolab.wan import plan
from epolab.wan.measured import ECHO_PAYLOAD_BYTES
from epolab.wan.probe_program import (
    ECHO,
    ECHO_PORT,
    HEAD,
    SO_TIMESTAMPNS,
    STREAM_PORT,
    TIMED,
    Arrivals,
    Endpoint,
    Oversleep,
    _connect,
    stamp_of,
)

A, B = "127.7.0.1", "127.7.0.2"


def test_payloads_are_as_the_plan_counts_them() -> None:
    assert (HEAD.size, TIMED.size) == (plan.SMALL_PAYLOAD_BYTES, plan.TIMED_PAYLOAD_BYTES)
    assert ECHO.size == ECHO_PAYLOAD_BYTES


def test_the_kernels_stamp_is_read() -> None:
    assert stamp_of([(1, SO_TIMESTAMPNS, struct.pack("@ll", 5, 7))]) == 5_000_000_007


def test_only_neighbours_are_paired_and_other_flows_are_left_out() -> None:
    seen = Arrivals(flow=3, timed=False)
    for flow, number, at in ((3, 0, 100), (3, 1, 110), (2, 2, 115), (3, 3, 150), (3, 4, 160)):
        seen.take(HEAD.pack(flow, number), at)
    figures = seen.document()
    assert (figures["received"], figures["pairs"], figures["pair_ns"], figures["spread_ns"]) == (4, 2, 20, 60)


def test_a_timed_flow_tells_each_delay() -> None:
    seen = Arrivals(flow=1, timed=True)
    seen.take(TIMED.pack(1, 0, 1000), 1400)
    assert seen.document()["delays_ns"] == [400]


def test_neighbours_between_which_the_line_rested_are_left_out() -> None:
    seen = Arrivals(flow=1, timed=True, busy_ns=50)
    for number, sent, at in ((0, 0, 100), (1, 0, 200), (2, 0, 300), (3, 900, 1000), (4, 900, 1100), (6, 900, 1200)):
        seen.take(TIMED.pack(1, number, sent), at)
    figures = seen.document()
    assert (figures["pairs"], figures["pair_ns"]) == (3, 300)  # 0-1, 1-2, 3-4: 3 came to an idle line, 5 was lost
    assert figures["delays_ns"] == []


def test_one_that_never_slept_has_no_noise() -> None:
    assert Oversleep().document() == {"p99_ms": None, "max_ms": None, "sample": 0}


def test_what_came_during_a_stall_does_not_hide_it() -> None:
    """Beside a sleeper that is held up for 30 ms past its time, a datagram comes before that time is over."""
    late, due = Oversleep(), time.monotonic_ns() - 30_000_000
    late.note(8_000_000, due, woken=True)
    late.note(8_000_000, time.monotonic_ns() + 1_000_000_000, woken=True)  # woken before its time: says nothing
    seen = late.document()
    assert seen["sample"] == 1
    assert seen["max_ms"] >= 30.0


@pytest.fixture(scope="module")
def ends() -> Iterator[tuple[Endpoint, Endpoint]]:
    made = Endpoint(A), Endpoint(B)
    yield made
    for end in made:
        end.close()


def both(ends: tuple[Endpoint, Endpoint], at_a: dict[str, Any], at_b: dict[str, Any]) -> tuple[Any, Any]:
    answers: list[Any] = [None]
    thread = threading.Thread(target=lambda: answers.append(ends[1].answer(at_b)))
    thread.start()
    first = ends[0].answer(at_a)
    thread.join()
    assert first["ok"], first
    assert answers[-1]["ok"], answers[-1]
    return first["result"], answers[-1]["result"]


def test_echoes_come_back_with_the_way_there_and_the_way_back(ends: tuple[Endpoint, Endpoint]) -> None:
    trips = {"op": "round_trips", "peer": B, "first": 0, "count": 20, "pause_ms": 1.0, "patience_seconds": 2.0}
    seen, echoed = both(ends, trips, {"op": "echo", "first": 0, "count": 20, "seconds": 5.0})
    assert (len(seen["series"]), echoed["echoed"]) == (20, 20)
    assert all(trip == there + back for trip, there, back in seen["series"])


def test_what_comes_late_of_an_earlier_series_is_in_none(ends: tuple[Endpoint, Endpoint]) -> None:
    """Echoes and questions that a line has held back for two seconds are there before the next series begins."""
    early = time.time_ns() - 2_000_000_000
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        for place in (A, B):
            for number in range(5):
                line.sendto(ECHO.pack(number, early, early, early), (place, ECHO_PORT))
    trips = {"op": "round_trips", "peer": B, "first": 5, "count": 5, "pause_ms": 1.0, "patience_seconds": 2.0}
    seen, echoed = both(ends, trips, {"op": "echo", "first": 5, "count": 5, "seconds": 5.0})
    assert (len(seen["series"]), echoed["echoed"]) == (5, 5)
    assert max(trip for trip, _, _ in seen["series"]) < 1_000_000_000


def test_flows_go_both_ways_at_their_pace_and_nothing_is_lost(ends: tuple[Endpoint, Endpoint]) -> None:
    flow = {"op": "flow", "flow": 9, "expect": 200, "seconds": 10.0, "timed": True}
    send = {"count": 200, "payload_bytes": 64, "pause_ns": 1_000_000, "burst": 10, "catch_up_ns": 5_000_000}
    at_a, at_b = both(ends, flow | {"peer": B, "send": dict(send)}, flow | {"peer": A, "send": dict(send)})
    for seen in (at_a, at_b):
        assert (seen["sent"], seen["arrivals"]["received"]) == (200, 200)
        assert len(seen["arrivals"]["delays_ns"]) == 200
        assert seen["arrivals"]["spread_ns"] > 150_000_000


def test_many_frames_leave_by_one_call_where_the_kernel_cuts_them(ends: tuple[Endpoint, Endpoint]) -> None:
    flow = {"op": "flow", "flow": 10, "seconds": 10.0}
    send = {"count": 70, "payload_bytes": 500, "pause_ns": 1000, "burst": 0, "catch_up_ns": 0, "at_once": 32}
    at_a, at_b = both(
        ends, flow | {"peer": B, "send": send, "expect": 0}, flow | {"peer": A, "send": None, "expect": 70}
    )
    assert (at_a["sent"], at_b["arrivals"]["received"]) == (70, 70)


def test_a_stream_is_counted_after_it_has_warmed_up(ends: tuple[Endpoint, Endpoint]) -> None:
    receive = {"op": "receive", "warm_seconds": 0.05, "seconds": 0.2, "window_bytes": 100_000}
    taken, sent = both(ends, receive, {"op": "send", "peer": A, "seconds": 0.5})
    assert taken["bytes"] > 0
    assert 0.05 < taken["seconds"] <= 0.5
    assert sent["congestion_control"]
    assert taken["oversleep"]["sample"] >= 10


def test_a_network_that_fails_is_an_answer(ends: tuple[Endpoint, Endpoint]) -> None:
    refused = ends[0].answer({"op": "send", "peer": B, "seconds": 0.1, "attempts": 2})
    assert not refused["ok"]
    assert "refused" in refused["error"]


def test_a_stream_that_never_comes_is_one_of_no_bytes(ends: tuple[Endpoint, Endpoint]) -> None:
    """A line that loses two handshakes has no goodput; what else was seen of it is not lost by that."""
    taken = ends[0].answer({"op": "receive", "warm_seconds": 0.05, "seconds": 0.1, "window_bytes": 100_000})
    assert taken["ok"]
    assert (taken["result"]["bytes"], taken["result"]["seconds"]) == (0, 0.1)


def test_a_stream_that_nobody_accepts_is_sent_by_no_congestion_control(ends: tuple[Endpoint, Endpoint]) -> None:
    with socket.socket() as listener, socket.socket() as waiting:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((B, STREAM_PORT))
        listener.listen(0)
        waiting.connect((B, STREAM_PORT))
        sent = ends[0].answer({"op": "send", "peer": B, "seconds": 0.2})
    assert sent == {"ok": True, "result": {"congestion_control": None}}


def test_a_stream_that_stands_still_counts_until_nobody_waits_for_it_any_more(ends: tuple[Endpoint, Endpoint]) -> None:
    taken: list[dict[str, Any]] = []
    receive = {"op": "receive", "warm_seconds": 0.1, "seconds": 0.2, "window_bytes": 100_000}
    thread = threading.Thread(target=lambda: taken.append(ends[1].answer(receive)))
    thread.start()
    with _connect((B, STREAM_PORT), 50, 1.0) as stream:
        stream.send(b"x")
        thread.join()
    assert taken[0]["ok"]
    assert taken[0]["result"]["bytes"] == 0
    assert taken[0]["result"]["seconds"] >= 0.2
