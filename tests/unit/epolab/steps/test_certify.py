"""What a certificate is true of."""

from dataclasses import replace

import pytest

from epolab.hands.files import LabFolder
from epolab.provider import fabric, node
from epolab.steps import certify
from epolab.steps.drivers import chosen_drivers, host_facts
from epolab.steps.progress import Silent
from epolab.steps.work import Work, write_done

PLAIN = {"hq-tokyo": "veth"}


@pytest.fixture(name="work")
def work_fixture(topology, runtime, world, fabric_props, node_props):
    fabric.create(world, fabric_props)
    node.create(world, node_props)
    node.create(world, node_props | {"path": "hq/router", "components": ["router"]})
    return Work(topology, "lab", "me", None, runtime, LabFolder.of("lab").make(), Silent())


def restart(runtime, name):
    runtime.stop(name)
    runtime.start(name)


def test_a_lab_as_it_was_needs_no_other_certificate(work):
    drivers = chosen_drivers(work.topology, host_facts(work.docker))
    write_done(work, "measure", certify.inputs(work, drivers))
    work.folder.write_json("certificate.json", {})
    assert certify.run(work) is False


@pytest.mark.parametrize("name", ["lab.fabric", "lab.hq.router"])
def test_a_restart_of_what_holds_the_links_asks_for_another(work, runtime, name):
    before = certify.inputs(work, PLAIN)
    restart(runtime, name)
    assert certify.inputs(work, PLAIN) != before


def test_a_restart_of_another_node_asks_for_none(work, runtime):
    before = certify.inputs(work, PLAIN)
    restart(runtime, "lab.hq.pc-1")
    assert certify.inputs(work, PLAIN) == before


def test_another_driver_asks_for_another(work):
    assert certify.inputs(work, PLAIN) != certify.inputs(work, {"hq-tokyo": "tap"})


def test_another_link_asks_for_another(work):
    before = certify.inputs(work, PLAIN)
    work.topology = replace(work.topology, links=())
    assert certify.inputs(work, PLAIN) != before
