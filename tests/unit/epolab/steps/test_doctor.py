"""What is asked of the host follows from the topology."""

from dataclasses import replace
from pathlib import Path

from epolab.steps.doctor import needs_of
from epolab.topology import load_topology

TOPOLOGIES = Path(__file__).parents[4] / "topologies"


def test_without_a_topology_the_images_of_containers_are_asked_for() -> None:
    needs = needs_of(None)
    assert [reference.split(":")[0] for reference in needs.images] == ["epolab/fabric", "epolab/node"]
    assert (needs.tun_for, needs.virtual_machines) == ((), False)


def test_shaped_links_ask_for_tun_and_nodes_for_memory() -> None:
    topology = load_topology(TOPOLOGIES / "quickstart.yaml")
    needs = needs_of(topology)
    assert needs.tun_for == tuple(f"link {link.name}" for link in topology.links if link.shaped)
    assert needs.fabric_image == needs.images[0]
    assert needs.memory_mib == sum(node.memory_mib for node in topology.nodes)


def test_a_virtual_machine_asks_for_its_image() -> None:
    needs = needs_of(load_topology(TOPOLOGIES / "one-vm.yaml"))
    assert needs.virtual_machines
    assert [it for it in needs.tun_for if it.startswith("virtual machine ")]
    assert any(reference.startswith("epolab/vm:") for reference in needs.images)


def test_images_that_nodes_name_are_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text((TOPOLOGIES / "minimal.yaml").read_text())
    topology = load_topology(file)
    site = replace(topology.sites[0], nodes=tuple(replace(n, image="own:1") for n in topology.sites[0].nodes))
    assert needs_of(replace(topology, sites=(site,))).named_images == ("own:1",)
    assert needs_of(topology).named_images == ()
