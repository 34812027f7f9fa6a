from itertools import permutations

from epolab.model import paths
from epolab.model.link import Link, Shape
from epolab.model.topology import Topology


def link(a: str, b: str) -> Link:
    return Link(f"{a}-{b}", a, b, Shape(), Shape(), ())


RING = (link("a", "b"), link("b", "c"), link("c", "d"), link("d", "a"))


def test_the_path_with_the_fewest_links_is_taken() -> None:
    chain = (link("a", "b"), link("b", "c"), link("c", "d"), link("a", "d"))
    assert paths.site_path(chain, "a", "d") == ("a", "d")
    assert paths.site_path(chain, "b", "d") in (("b", "a", "d"), ("b", "c", "d"))


def test_of_equal_paths_the_links_that_come_first_decide_both_ways() -> None:
    assert paths.site_path(RING, "a", "c") == ("a", "b", "c")
    for one, other in permutations("abcd", 2):
        there = paths.site_path(RING, one, other)
        back = paths.site_path(RING, other, one)
        assert there is not None and back == there[::-1]


def test_the_next_hop_agrees_with_the_rest_of_the_way() -> None:
    for one, other in permutations("abcd", 2):
        way = paths.site_path(RING, one, other)
        assert way is not None
        assert paths.site_path(RING, way[1], other) == way[1:]


def test_what_is_not_joined_has_no_path() -> None:
    assert paths.site_path((link("a", "b"),), "a", "z") is None


def test_links_and_routers_between_nodes(quickstart: Topology) -> None:
    pc, handler = quickstart.node("tokyo/tokyo-pc-1"), quickstart.node("dmz/handler")
    assert [one.name for one in paths.links_between(quickstart, pc, handler)] == ["hq-tokyo", "hq-dmz"]
    assert [r.path for r in paths.routers_between(quickstart, pc, handler)] == [
        "tokyo/router",
        "hq/router",
        "dmz/router",
    ]


def test_a_router_at_an_end_forwards_nothing(quickstart: Topology) -> None:
    router, pc = quickstart.node("hq/router"), quickstart.node("tokyo/tokyo-pc-1")
    assert [r.path for r in paths.routers_between(quickstart, router, pc)] == ["tokyo/router"]


def test_one_segment_needs_no_router(quickstart: Topology) -> None:
    one, other = quickstart.node("tokyo/tokyo-pc-1"), quickstart.node("tokyo/tokyo-sa")
    assert paths.shares_segment(one, other) and paths.routers_between(quickstart, one, other) == ()
    assert paths.segments_of(one) == {"tokyo/lan"}
