"""A lab's life: a no-op, a node that vanished comes back alone, two labs of one topology do not see each other."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.lab import TOPOLOGIES, epolab, succeed

pytestmark = pytest.mark.acceptance
FILE = TOPOLOGIES / "minimal.yaml"


@pytest.fixture(scope="module", name="home")
def home_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("life") / "home"
    succeed(home, "up", FILE, "--name", "first")
    succeed(home, "up", FILE, "--name", "second", "--no-deploy")
    yield home
    for lab in ("first", "second"):
        succeed(home, "down", lab)


def containers(lab: str) -> dict[str, str]:
    """Container name to full id."""
    words = ["docker", "ps", "-a", "--no-trunc", "--filter", f"label=epolab.lab={lab}"]
    words += ["--format", "{{.Names}} {{.ID}}"]
    listed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return dict(tuple(line.split(" ", 1)) for line in listed.splitlines())  # type: ignore[misc]


def on(home: Path, node: str, *command: str) -> str:
    """What a command on a node prints."""
    ran = epolab(home, "ssh", node, *command)
    assert ran.code == 0, ran
    return str(ran.document["stdout"]) if isinstance(ran.document, dict) else str(ran.document)


def test_up_twice_is_a_no_op(home: Path) -> None:
    before = containers("first")
    document = succeed(home, "up", FILE, "--name", "first")
    assert document["state"] == "ready"
    assert containers("first") == before


def test_a_node_that_vanished_comes_back_and_the_others_stay(home: Path) -> None:
    before = containers("first")
    subprocess.run(["docker", "rm", "-f", "first.hq.pc-1"], check=True, capture_output=True)
    assert succeed(home, "status", "first")["drift"]
    assert succeed(home, "up", FILE, "--name", "first")["state"] == "ready"
    after = containers("first")
    assert {name for name in before if before[name] != after[name]} == {"first.hq.pc-1"}
    assert succeed(home, "status", "first")["drift"] == []


def addresses(home: Path, lab: str) -> set[str]:
    document: dict[str, Any] = succeed(home, "inspect", lab)
    return {address["cidr"] for node in document["nodes"] for address in node["addresses"]}


def test_two_labs_of_one_topology_have_the_same_addresses_and_no_way_to_each_other(home: Path) -> None:
    assert addresses(home, "first") == addresses(home, "second")
    marker = "echo first > /tmp/whose && cat /etc/hostname"
    subprocess.run(["docker", "exec", "first.hq.pc-1", "sh", "-c", marker], check=True, capture_output=True)
    look = ["docker", "exec", "second.hq.pc-1", "ls", "/tmp"]
    seen = subprocess.run(look, check=True, capture_output=True, text=True)
    assert "whose" not in seen.stdout
    macs = {lab: neighbours(lab) for lab in ("first", "second")}
    assert macs["first"]["namespace"] != macs["second"]["namespace"]


def neighbours(lab: str) -> dict[str, str]:
    """The namespace of a lab's router, after it has pinged everybody on its segment."""
    script = "readlink /proc/self/ns/net; ping -c1 -W1 10.1.0.1 >/dev/null; ip -json neigh"
    name = f"{lab}.hq.pc-1"
    ran = subprocess.run(["docker", "exec", name, "sh", "-c", script], check=True, capture_output=True, text=True)
    first, _, rest = ran.stdout.partition("\n")
    return {"namespace": first, "neighbours": json.dumps(json.loads(rest or "[]"))}
