"""Plain `pulumi preview` and `pulumi up` at the top of the repository; the stack's configuration names the topology."""

import json
import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]
LAB = "it-plain"


@pytest.fixture(scope="module", name="pulumi")
def pulumi_fixture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    (folder / "state").mkdir()
    environment = {
        **os.environ,
        "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
        "EPOLAB_HOME": str(folder / "home"),
        "PULUMI_HOME": str(folder / "pulumi"),
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "only for this test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }

    def pulumi(*words):
        argv = ["pulumi", "--non-interactive", *words, "--stack", LAB]
        ran = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, f"{words}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    pulumi("stack", "init")
    pulumi("config", "set", "epolab:topology", "topologies/minimal.yaml")
    pulumi("config", "set", "epolab:lab", LAB)
    yield pulumi
    pulumi("destroy", "--yes")
    pulumi("stack", "rm", "--yes")
    subprocess.run([ROOT / ".venv/bin/epolab", "down", LAB], env=environment, check=True)


def names():
    words = ["docker", "ps", "--filter", f"label=epolab.lab={LAB}", "--format", "{{.Names}}"]
    return set(subprocess.run(words, check=True, capture_output=True, text=True).stdout.split())


def test_a_life_by_hand(pulumi):
    preview = json.loads(pulumi("preview", "--json"))
    assert preview["changeSummary"] == {"create": 9}
    assert names() == set()

    pulumi("up", "--yes", "--skip-preview")
    nodes = {f"{LAB}.hq.{node}" for node in ("router", "epo", "sql", "pc-1")}
    assert names() == nodes | {f"{LAB}.fabric"}

    subprocess.run(["docker", "rm", "-f", f"{LAB}.hq.pc-1"], check=True, capture_output=True)
    again = pulumi("up", "--yes", "--skip-preview")
    assert names() == nodes | {f"{LAB}.fabric"}
    assert "1 created" in again

    pulumi("destroy", "--yes", "--skip-preview")
    assert names() == set()
