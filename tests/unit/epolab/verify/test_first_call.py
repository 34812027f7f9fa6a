"""When a first call came, whether it was drawn, and how little a log may tell."""

import random

import pytest

from epolab.verify.first_call import Start, alike, came_troubles, draw_troubles, starts_of

AGENT = "tokyo/tokyo-pc"
START = Start(1000.0, 0.5, 0.833)


def line(seconds: float, words: str = "first call begins") -> str:
    return f"1970-01-01T00:16:{40 + seconds:06.3f}Z INFO agent.caller {words}"


def test_starts_are_read_from_the_log() -> None:
    lines = [line(0, "first call in 0.500 s, drawn from the first 0.833 s"), "called in", line(1, "first call in 9 s")]
    assert starts_of(lines) == [START] and starts_of([]) == []


@pytest.mark.parametrize(
    "came",
    [line(0.499), line(0.5), line(8.0), line(0.1, "called in to EPO (manual)"), line(8, "not called in (wakeup): x")],
)
def test_a_call_that_waits_as_drawn_or_was_ordered_before_is_right(came: str) -> None:
    assert came_troubles(AGENT, START, came) == []


@pytest.mark.parametrize(
    ("came", "told"),
    [
        ("", "no call since"),
        (line(0.001), "after 0.001 s"),
        (line(0.4), "after 0.400 s"),
        (line(19), "after 19.000 s"),
        (line(19, "called in to EPO (manual)"), "another call had ended 19.000 s after"),
    ],
)
def test_a_call_that_comes_at_once_or_too_late_or_never_is_told(came: str, told: str) -> None:
    ((wanted, observed),) = came_troubles(AGENT, START, came)
    assert "makes its first call 0.500 s after its start" in wanted and told in observed


def start(drawn: float, window: float) -> Start:
    return Start(0.0, drawn, window)


def test_draws_are_alike_where_all_are_the_same_part_of_their_windows() -> None:
    assert alike([start(0.0, 0.833), start(0.0, 0.0625), start(0.0, 0.833), start(0.0, 0.008)])
    assert alike([start(0.833, 0.833), start(0.062, 0.0625), start(0.833, 0.833), start(0.008, 0.0083)])
    assert not alike([start(0.0, 0.833), start(0.0, 0.0625), start(0.0, 0.833), start(0.003, 0.008)])


def test_too_few_draws_or_too_narrow_windows_tell_nothing() -> None:
    assert not alike([]) and not alike([start(0.0, 0.833)]) and not alike([start(0.0, 0.833)] * 2)
    assert not alike([start(0.0, 0.008)] * 3) and not alike([start(0.0, 0.0)] * 50)


def test_an_agents_own_last_starts_tell_whether_it_draws() -> None:
    (own,) = draw_troubles(AGENT, [start(0.7, 0.833), *[start(0.2, 0.833)] * 3], [])
    assert own == (f"{AGENT}: draws its first call at random", f"{AGENT}: its last 3 starts all drew 0.200 s")
    assert draw_troubles(AGENT, [*[start(0.2, 0.833)] * 3, start(0.7, 0.833)], []) == []


def test_what_is_drawn_is_never_told() -> None:
    drawing = random.Random(7)
    for window in (0.008, 0.0625, 0.833, 45.0):
        own = [start(round(drawing.uniform(0, window), 3), window) for _ in range(60)]
        assert all(draw_troubles(AGENT, own[:count], own[count:]) == [] for count in range(1, 60))
