"""Which driver a link gets."""

from dataclasses import replace

from epolab.model.link import Shape
from epolab.steps.drivers import chosen_drivers


def test_a_shaped_link_gets_a_cable_and_a_plain_one_none(topology):
    link = topology.links[0]
    plain = replace(link, name="plain", a_to_b=Shape(), b_to_a=Shape())
    assert chosen_drivers(replace(topology, links=(link, plain))) == {"hq-tokyo": "cable", "plain": "none"}
