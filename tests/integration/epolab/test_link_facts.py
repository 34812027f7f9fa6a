"""The host of the real engine is tried with the real image, and nothing of the trial is left."""

import subprocess
from pathlib import Path

import pytest

from epolab.hands.docker import Docker
from epolab.hands.link_facts import read_link_facts
from epolab.images import image_reference
from epolab.steps.drivers import host_facts

pytestmark = pytest.mark.integration


def containers():
    words = ["docker", "ps", "-aq", "--filter", f"ancestor={image_reference('fabric')}", "--filter", "status=exited"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def test_the_host_is_tried_and_what_was_found_is_remembered(tmp_path):
    engine = Docker.connect()
    left = containers()
    asked = []

    def read(info, image, fresh):
        asked.append(image)
        return read_link_facts(info, image, fresh=fresh, home=tmp_path)

    found = host_facts(engine, read)
    assert len(asked) == 1
    assert found.tun is Path("/dev/net/tun").is_char_device()
    assert len(list((tmp_path / "hosts").iterdir())) == 1
    assert host_facts(engine, read) == found
    assert containers() == left
