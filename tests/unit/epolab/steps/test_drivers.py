"""Which driver a link gets on a host, and what is refused there."""

from dataclasses import replace

import pytest

from epolab.errors import TunMissingError
from epolab.hands.capacity import has_tun
from epolab.images import image_reference
from epolab.model.link import Shape
from epolab.steps.drivers import chosen_drivers, degradations, host_facts, needing_tun, refuse_impossible
from epolab.wan.driver import HostFacts

ABLE = HostFacts(tun=True, netem=False)
BARE = HostFacts(tun=False, netem=False)


class Engine:
    """A container runtime that has images, or none."""

    def __init__(self, *images):
        self._images = images

    def info(self):
        return {"ID": "AB"}

    def image_id(self, reference):
        return "sha256:0" if reference in self._images else None


def accepting(topology, *accept):
    return replace(topology, links=(replace(topology.links[0], accept=accept),))


def with_machine(topology):
    """The same lab, with its first agent as a virtual machine."""
    site = topology.sites[1]
    nodes = tuple(replace(node, kind="vm") if "agent" in node.components else node for node in site.nodes)
    return replace(topology, sites=(topology.sites[0], replace(site, nodes=nodes)))


def test_a_shaped_link_gets_a_cable_and_a_plain_one_none(topology):
    link = topology.links[0]
    plain = replace(link, name="plain", a_to_b=Shape(), b_to_a=Shape())
    both = replace(topology, links=(link, plain))
    assert chosen_drivers(both, ABLE) == {"hq-tokyo": "cable", "plain": "none"}
    assert needing_tun(both) == ("link hq-tokyo",)


def test_a_host_without_the_device_is_refused_with_what_mends_it(topology):
    refuse_impossible(topology, ABLE)
    with pytest.raises(TunMissingError, match="these need it: link hq-tokyo") as refused:
        refuse_impossible(topology, BARE)
    assert (refused.value.exit_code, refused.value.step) == (3, "preflight")
    assert refused.value.hint.startswith("modprobe tun;")


def test_one_that_accepts_only_a_part_is_refused_too(topology):
    with pytest.raises(TunMissingError):
        refuse_impossible(accepting(topology, "delay"), BARE)


def test_one_that_accepts_it_is_degraded_aloud(topology):
    able = accepting(topology, "rate", "delay")
    refuse_impossible(able, BARE)
    assert chosen_drivers(able, BARE) == {"hq-tokyo": "none"}
    assert degradations(able, ABLE) == []
    assert degradations(able, BARE) == [
        "link hq-tokyo is degraded, as it accepts: without rate, delay (driver none)",
    ]


def test_a_virtual_machine_needs_the_device_too(topology):
    with pytest.raises(TunMissingError, match="virtual machine tokyo/far"):
        refuse_impossible(accepting(with_machine(topology), "rate", "delay"), BARE)


def test_the_host_is_tried_with_the_fabrics_image():
    asked = []

    def read(engine, image, fresh):
        asked.append((engine, image, fresh))
        return HostFacts(tun=True, netem=True)

    image = image_reference("fabric")
    assert host_facts(Engine(image), read).netem
    assert asked == [({"ID": "AB"}, image, not has_tun())]


def test_without_the_image_only_the_device_is_looked_for():
    def read(engine, image, fresh):
        raise AssertionError("there is nothing to try it with")

    assert host_facts(Engine(), read) == HostFacts(tun=has_tun(), netem=False)
