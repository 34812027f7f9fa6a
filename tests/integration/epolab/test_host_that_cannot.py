"""`up` on a host that cannot: exit 3 with the command that mends it, and nothing is created."""

import json
import os
import subprocess
from pathlib import Path

import docker
import pytest

from epolab.hands.files import cache_home

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]
EPOLAB = ROOT / ".venv/bin/epolab"
LAB = "it-cannot"
HEAD = """epolab: 1
name: it-cannot
sites:
  hq:
    nodes:
      epo: {components: [server]}
"""
GREEDY = HEAD + "      sql: {components: [sql]}\n      pc: {components: [agent], count: 20, memory: 1024GiB}\n"
FAR = HEAD + "      sql: {components: [sql]}\n  tokyo:\n    nodes:\n      far: {components: [agent]}\nwan:\n"
SLOW = FAR + "  - {between: [hq, tokyo], rate: 10mbit, delay: 40ms}\n"
HUMBLE = FAR + "  - {between: [hq, tokyo], rate: 10mbit, delay: 40ms, accept: [rate, delay]}\n"


class Host:
    """The installed command, with a home, an owner and a memory of the host of its own."""

    def __init__(self, folder):
        self.folder, self.home = folder, folder / "home"
        self.environment = {**os.environ, "EPOLAB_HOME": str(self.home), "EPOLAB_OWNER": "it-cannot"}

    def __call__(self, *words, **environment):
        ran = subprocess.run(
            [EPOLAB, "--json", *words], capture_output=True, text=True, env=self.environment | environment
        )
        return ran.returncode, json.loads(ran.stdout), ran.stderr

    def up(self, text, **environment):
        (self.folder / "lab.yaml").write_text(text)
        return self("up", self.folder / "lab.yaml", "--no-deploy", **environment)

    def forget_tun(self):
        """Have the engine's host remembered as one without /dev/net/tun; everything else of the cache is the same."""
        known = cache_home()
        cache = self.folder / "cache" / known.name
        (cache / "hosts").mkdir(parents=True)
        for entry in known.iterdir():
            if entry.name != "hosts":
                (cache / entry.name).symlink_to(entry)
        info = docker.from_env().info()
        name = f"{info['ID']}-{info['KernelVersion']}".replace(":", "").replace("/", "")
        (cache / "hosts" / f"{name}.json").write_text(json.dumps({"tun": False, "netem": False}))
        self.environment["XDG_CACHE_HOME"] = str(cache.parent)


@pytest.fixture(name="host")
def host_fixture(tmp_path):
    return Host(tmp_path)


def containers():
    words = ["docker", "ps", "-a", "--filter", f"label=epolab.lab={LAB}", "--format", "{{.Names}}"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()


def assert_nothing_was_made(host):
    assert containers() == []
    labs = host.home / "labs"
    assert not labs.exists() or list(labs.iterdir()) == []


def test_no_container_runtime(host):
    code, document, _ = host.up(SLOW, DOCKER_HOST=f"unix://{host.folder}/no.sock")
    error = document["error"]
    assert (code, error["code"], error["hint"]) == (3, "docker-unavailable", "make setup")
    assert_nothing_was_made(host)


def test_not_enough_memory_for_the_sum_of_the_nodes(host):
    code, document, _ = host.up(GREEDY)
    error = document["error"]
    assert (code, error["code"], error["step"]) == (3, "memory-short", "preflight")
    assert "MiB are free" in error["message"]
    assert "epolab down LAB" in error["hint"]
    assert_nothing_was_made(host)


def test_no_tun_for_a_link_that_needs_delay(host):
    host.forget_tun()
    code, document, _ = host.up(SLOW)
    error = document["error"]
    assert (code, error["code"], error["step"]) == (3, "tun-missing", "preflight")
    assert "link hq-tokyo" in error["message"]
    assert error["hint"].startswith("modprobe tun")
    assert_nothing_was_made(host)


def test_no_tun_for_a_link_that_accepts_it(host):
    host.forget_tun()
    try:
        code, document, said = host.up(HUMBLE)
        assert code == 0, said
        link = document["links"][0]
        assert (link["driver"], link["degraded"]) == ("none", ["rate", "delay"])
        assert link["within"], "what it keeps must be measured and be within"
        assert "link hq-tokyo is degraded" in said
    finally:
        host("down", LAB)
    assert_nothing_was_made(host)
