"""What a declaration needs beside the topology."""

from dataclasses import replace


def test_images_by_kind_and_by_wish(topology, settings):
    node = topology.node("hq/epo")
    assert settings.image_of(node) == "epolab/node:1"
    assert settings.image_of(replace(node, kind="vm")) == "epolab/vm:1"
    assert settings.image_of(replace(node, image="own:1")) == "own:1"


def test_no_expiry_is_an_empty_text(settings):
    assert settings.shared_props() == {"lab": "lab", "owner": "me", "expires": ""}
