"""A lab's life: a no-op, a node that vanished comes back alone, two labs of one topology do not see each other."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from epolab.verify.promises import NAMES
from tests.acceptance.lab import TOPOLOGIES, succeed, until
from tests.acceptance.test_topologies import assert_all_kept

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


def test_it_keeps_its_promises(home: Path) -> None:
    assert_all_kept(FILE, succeed(home, "verify", "first"), NAMES)


def addresses(home: Path, lab: str) -> set[str]:
    document: dict[str, Any] = succeed(home, "inspect", lab)
    return {address["cidr"] for node in document["nodes"] for address in node["addresses"]}


def inside(container: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """A command inside a node of a lab; probes between labs start there and nowhere else."""
    return subprocess.run(["docker", "exec", container, *argv], capture_output=True, text=True, timeout=60, check=False)


def answers(container: str, address: str, port: int) -> bool:
    """Whether a node reaches an address and port."""
    return (
        inside(container, "curl", "-s", "-o", "/dev/null", "--max-time", "2", f"http://{address}:{port}/").returncode
        == 0
    )


def test_two_labs_of_one_topology_have_the_same_addresses_and_no_way_to_each_other(home: Path) -> None:
    """An address that only the second lab has answers there, and nowhere in the first, whose segment is the same."""
    assert addresses(home, "first") == addresses(home, "second")
    holder, address, port = "second.hq.pc-1", "10.1.0.200", 7777
    assert inside(holder, "ip", "addr", "add", f"{address}/24", "dev", "eth0").returncode == 0
    serve = ["docker", "exec", "-d", holder, "python3", "-m", "http.server", str(port), "--bind", address]
    subprocess.run(serve, check=True, capture_output=True)
    assert until(lambda: answers("second.hq.epo", address, port), 20), "the probe itself does not work"
    assert not answers("first.hq.epo", address, port)
    assert not answers("first.hq.router", address, port)
    neighbours = inside("first.hq.epo", "ip", "neigh", "show", address).stdout
    assert "lladdr" not in neighbours, neighbours
