from collections.abc import Callable

from epolab.model.link import Shape
from epolab.topology.draft import Draft
from epolab.topology.shaping import default_queue_ms, frame_ms, link_name, resolve_link


def test_a_direction_takes_from_the_link_what_it_does_not_say(draft_of: Callable[[str], Draft]) -> None:
    lab = """
epolab: 1
sites: {a: {}, b: {}}
wan: [{between: [a, b], rate: 10mbit, delay: 40ms, loss: 1%, b_to_a: {rate: 2mbit, queue: 50ms}, accept: delay}]
"""
    link = resolve_link(draft_of(lab).links[0].value)
    assert link.a_to_b == Shape(10_000_000, 40.0, 0.0, 0.01, 200.0)
    assert link.b_to_a == Shape(2_000_000, 40.0, 0.0, 0.01, 50.0)
    assert (link.name, link.accept) == ("a-b", ("delay",))


def test_a_link_may_have_a_name_and_no_shape(draft_of: Callable[[str], Draft]) -> None:
    (link,) = draft_of("epolab: 1\nsites: {a: {}, b: {}}\nwan: [{between: [a, b], name: x}]\n").links
    assert link_name(link.value) == "x"
    assert not resolve_link(link.value).shaped


def test_the_default_queue_grows_on_very_thin_lines() -> None:
    assert default_queue_ms(None) == default_queue_ms(10_000_000) == 200.0
    assert default_queue_ms(8_000) == round(4 * frame_ms(8_000), 3) == 6056.0
