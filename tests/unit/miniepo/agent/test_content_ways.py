"""Playbooks of the ways to a repository."""

import pytest

from miniepo.agent.content_ways import ContentWay, ContentWays, WayFailed, lacks_content
from miniepo.errors import ContentError, RefusedError, SilentError, TransferError, UnreachableError, WorldError
from miniepo.protocol.discovery import Relay

ONE = Relay("G1", "relay-1", 8083, ("10.4.0.1",))
TWO = Relay("G2", "relay-2", 8083, ("10.4.0.2",))
THREE = Relay("G3", "relay-3", 8083, ("10.4.0.3",))
GONE = UnreachableError("no route")
MISSING = TransferError("answered 404: not here")
FALSE = ContentError("catalog.z: not what was signed")


def play(ways: ContentWays, *errors: WorldError) -> list[str]:
    """The ways that are tried while each fails with the next of these errors, to the last."""
    tried = []
    way = ways.start()
    for error in errors:
        if way is None:
            break
        tried.append(way.label)
        way = ways.receive(WayFailed(way, error))
    return [*tried, *([way.label] if way else [])]


def test_straight_comes_first_then_each_cached_relay_in_order() -> None:
    tried = play(ContentWays((ONE, TWO), skip_straight=False), GONE, GONE, GONE)
    assert tried == ["straight", "through relay relay-1", "through relay relay-2"]


@pytest.mark.parametrize(
    "error",
    [RefusedError("not-listed", "no"), RefusedError("unreachable", "no"), GONE, SilentError(), MISSING, FALSE],
    ids=str,
)
def test_a_relay_that_cannot_or_lacks_the_content_is_left_for_the_next(error: WorldError) -> None:
    assert play(ContentWays((ONE, TWO, THREE), skip_straight=True), error) == [
        "through relay relay-1",
        "through relay relay-2",
    ]


@pytest.mark.parametrize("error", [MISSING, FALSE])
def test_a_repository_that_lacks_the_content_when_asked_straight_is_given_up(error: WorldError) -> None:
    assert play(ContentWays((ONE,), skip_straight=False), error) == ["straight"]


def test_each_relay_is_asked_once_and_then_it_is_over() -> None:
    ways = ContentWays((ONE, TWO), skip_straight=True)
    assert play(ways, MISSING, GONE, MISSING) == ["through relay relay-1", "through relay relay-2"]
    assert ways.receive(WayFailed(ContentWay(TWO), GONE)) is None


def test_without_relays_an_unreachable_site_has_no_way() -> None:
    assert ContentWays((), skip_straight=True).start() is None
    assert play(ContentWays((), skip_straight=False), GONE) == ["straight"]


def test_what_counts_as_lacking() -> None:
    assert lacks_content(MISSING) and lacks_content(FALSE)
    assert not lacks_content(GONE) and not lacks_content(RefusedError("not-listed", "no"))
