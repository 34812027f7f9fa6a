"""Which images a lab needs."""

from dataclasses import replace

from epolab.steps.build import image_names, named_images


def with_nodes(topology, change):
    sites = tuple(replace(site, nodes=tuple(change(node) for node in site.nodes)) for site in topology.sites)
    return replace(topology, sites=sites)


def test_containers_need_the_node_image(topology):
    assert image_names(topology) == ("fabric", "node")


def test_one_vm_needs_the_vm_image_too(topology):
    mixed = with_nodes(topology, lambda node: replace(node, kind="vm") if node.name == "far" else node)
    assert image_names(mixed) == ("fabric", "node", "vm")


def test_own_images_need_none_of_ours(topology):
    own = with_nodes(topology, lambda node: replace(node, image="own:1"))
    assert image_names(own) == ("fabric",)
    assert (named_images(own), named_images(topology)) == (("own:1",), ())
