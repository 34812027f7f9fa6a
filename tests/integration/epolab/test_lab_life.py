"""A lab's life through the command line, with the real container runtime and the real engine; no roles."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]
EPOLAB = ROOT / ".venv/bin/epolab"

LAB = "it-life"
FILE = """epolab: 1
name: small
sites:
  hq:
    nodes:
      epo: {components: [server]}
      sql: {components: [sql]}
  tokyo:
    nodes:
      far: {components: [agent]}
wan:
  - {between: [hq, tokyo], rate: 50mbit, delay: 5ms}
"""


class Epolab:
    """The installed command, with a home of its own."""

    def __init__(self, home: Path, file: Path) -> None:
        self.home, self.file = home, file
        self.environment = {**os.environ, "EPOLAB_HOME": str(home), "EPOLAB_OWNER": "it-life"}

    def __call__(self, *words, code=0):
        ran = subprocess.run([EPOLAB, "--json", *words], capture_output=True, text=True, env=self.environment)
        assert ran.returncode == code, f"{words}: {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        return json.loads(ran.stdout)

    def up(self, *words, code=0):
        return self("up", self.file, "--name", LAB, "--no-deploy", *words, code=code)


def containers():
    words = [
        "docker",
        "ps",
        "-a",
        "--no-trunc",
        "--filter",
        f"label=epolab.lab={LAB}",
        "--format",
        "{{.Names}} {{.ID}}",
    ]
    lines = subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()
    return dict(line.split() for line in lines)


def docker(*words):
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout


def ping(node, address):
    return subprocess.run(
        ["docker", "exec", f"{LAB}.{node}", "ping", "-c1", "-W3", address], capture_output=True
    ).returncode


@pytest.fixture(scope="module", name="epolab")
def epolab_fixture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("life")
    (folder / "small.yaml").write_text(FILE)
    epolab = Epolab(folder / "home", folder / "small.yaml")
    yield epolab
    epolab("down", LAB)


@pytest.fixture(name="lab")
def lab_fixture(epolab):
    epolab.up()
    return containers()


def test_the_document_has_nodes_links_and_timings(epolab, lab):
    document = epolab("inspect", LAB)
    assert document["state"] == "ready"
    assert {f"{n['site']}/{n['name']}" for n in document["nodes"]} == {
        "hq/router",
        "hq/epo",
        "hq/sql",
        "tokyo/router",
        "tokyo/far",
    }
    (link,) = document["links"]
    assert link["measured"]["a_to_b"]["rate_bps"] == pytest.approx(50e6, rel=0.05)
    assert set(document["timings"]) == {"images_s", "engine_s", "deploy_s", "ready_s", "total_s"}


def test_packets_cross_the_wan_in_both_families(lab):
    assert ping("tokyo.far", "10.1.0.10") == 0
    assert ping("tokyo.far", "fd00:1::10") == 0


def test_up_again_is_a_no_op(epolab, lab):
    epolab.up()
    assert containers() == lab


def test_a_node_that_vanished_comes_back_alone_and_wired(epolab, lab):
    docker("rm", "-f", f"{LAB}.tokyo.router")
    assert epolab("status", LAB)["state"] == "degraded"
    epolab.up()
    after = containers()
    assert {name for name in lab if lab[name] != after[name]} == {f"{LAB}.tokyo.router"}
    assert ping("tokyo.far", "10.1.0.10") == 0
    assert epolab("status", LAB)["drift"] == []


def test_a_node_that_was_restarted_is_wired_again_and_not_made_anew(epolab, lab):
    docker("restart", "-t", "0", f"{LAB}.tokyo.far")
    epolab.up()
    assert containers() == lab
    assert ping("tokyo.far", "10.1.0.10") == 0


def test_the_fabric_can_be_lost_too(epolab, lab):
    docker("rm", "-f", f"{LAB}.fabric")
    epolab.up()
    after = containers()
    assert {name for name in lab if lab[name] != after[name]} == {f"{LAB}.fabric"}
    assert ping("tokyo.far", "10.1.0.10") == 0


@pytest.mark.parametrize("loss", ["gone", "garbage"])
def test_the_state_file_can_be_lost(epolab, lab, loss):
    state = epolab.home / "labs" / LAB / "state/backend/.pulumi/stacks/epolab" / f"{LAB}.json"
    (epolab.home / "labs" / LAB / "steps.json").unlink()
    state.unlink() if loss == "gone" else state.write_text("{")
    epolab.up()
    assert containers() == lab


def test_a_command_on_a_node_and_files_to_and_from_it(epolab, lab, tmp_path):
    assert epolab("ssh", f"{LAB}:far", "hostname")["stdout"] == "far\n"
    assert epolab("ssh", f"{LAB}:far", "exit 3", code=3)["exit_code"] == 3
    (tmp_path / "note").write_text("hello")
    epolab("cp", tmp_path / "note", f"{LAB}:tokyo/far:/tmp/note")
    epolab("cp", f"{LAB}:far:/tmp/note", tmp_path / "back")
    assert (tmp_path / "back").read_text() == "hello"


def test_links_are_counted_and_measured_anew(epolab, lab):
    ping("tokyo.far", "10.1.0.10")
    (link,) = epolab("wan", "ls", "--lab", LAB)
    assert (link["name"], link["driver"]) == ("hq-tokyo", "cable")
    assert link["counters"]["a_to_b"]["packets"] > 0


def test_another_owner_neither_sees_nor_removes_it(epolab, lab):
    other = Epolab(epolab.home.parent / "other-home", epolab.file)
    other.environment["EPOLAB_OWNER"] = "it-other"
    assert other("ls") == []
    assert other("down", LAB, code=2)["error"]["code"] == "lab-foreign"
    assert other("sweep", "--all") == {"removed": [], "left": []}
    assert containers() == lab


def test_a_lease_is_renewed_and_swept_when_it_is_over(epolab, lab):
    assert epolab("sweep") == {"removed": [], "left": []}
    assert epolab.up("--ttl", "1h")["expires"] is not None
    assert epolab("sweep") == {"removed": [], "left": []}
    epolab.up("--ttl", "1s")
    assert f"{LAB}.fabric" in epolab("sweep")["removed"]
    assert containers() == {}
    assert not epolab.home.exists()


def test_an_attached_lab_ends_with_its_input(epolab):
    words = [EPOLAB, "--json", "up", epolab.file, "--name", LAB, "--no-deploy", "--attached"]
    ran = subprocess.run(words, input="", capture_output=True, text=True, env=epolab.environment)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["state"] == "ready"
    assert containers() == {}
    assert not epolab.home.exists()


def test_ctrl_c_says_that_it_can_go_on_and_leaves_no_process(epolab):
    words = [EPOLAB, "--json", "-v", "up", epolab.file, "--name", LAB, "--no-deploy"]
    process = subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=epolab.environment,
        start_new_session=True,
    )
    for line in process.stderr:
        if "created fabric" in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(stdout)["error"]["code"] == "interrupted"
    assert "resumable" in stderr
    assert subprocess.run(["pgrep", "-g", str(process.pid)], capture_output=True).stdout == b""
    assert epolab.up()["state"] == "ready"


def test_two_commands_on_one_lab_do_not_collide(epolab):
    words = [EPOLAB, "--json", "up", epolab.file, "--name", LAB, "--no-deploy"]
    both = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=epolab.environment) for _ in "ab"
    ]
    for process in both:
        process.communicate(timeout=300)
        assert process.returncode == 0


def test_down_leaves_nothing_and_can_be_said_twice(epolab):
    epolab.up()
    assert len(epolab("down", LAB)["removed"]) == 6
    assert epolab("down", LAB) == {"removed": [], "left": []}
    assert containers() == {}
    assert not epolab.home.exists()
