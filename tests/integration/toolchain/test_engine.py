"""The Docker engine that set-up starts where none answers: a private second one is started, lost and stopped."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from epolab.hands.until import until

ROOT = Path(__file__).parents[3]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="starting a Docker engine needs root"),
    pytest.mark.skipif(not shutil.which("dockerd"), reason="the engine here is not one that set-up can start"),
]


@dataclass(frozen=True)
class PrivateEngine:
    """The set-up script, told to keep to a folder of its own."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "EPOLAB_ENGINE_HOME": str(self.folder / "home"),
            "EPOLAB_ENGINE_RUN": str(self.folder / "run"),
            "EPOLAB_ENGINE_SOCKET": str(self.folder / "docker.sock"),
        }

    def ask(self, verb: str) -> subprocess.CompletedProcess[str]:
        argv = ["sh", "toolchain/engine.sh", verb]
        return subprocess.run(argv, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=120)

    def pid(self) -> int:
        return int((self.folder / "run/dockerd.pid").read_text())

    def docker(self, *words: str) -> str:
        argv = ["docker", "--host", f"unix://{self.folder}/docker.sock", *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def engine() -> Iterator[PrivateEngine]:
    folder = Path(tempfile.mkdtemp(prefix="epolab-engine-test-", dir="/var/tmp"))
    private = PrivateEngine(folder)
    with contextlib.ExitStack() as made:
        made.callback(subprocess.run, ["rm", "-rf", "--one-file-system", str(folder)], check=True)
        made.callback(private.ask, "stop")
        yield private
    assert str(folder) not in Path("/proc/mounts").read_text()


def links() -> set[str]:
    return {path.name for path in Path("/sys/class/net").iterdir()}


def has_ended(pid: int) -> bool:
    """Gone, or a zombie that only waits for its parent."""
    status = Path(f"/proc/{pid}/status")
    return not status.exists() or "State:\tZ" in status.read_text()


def test_an_engine_of_our_own_comes_up_makes_no_network_and_goes(engine: PrivateEngine) -> None:
    before = links()
    assert engine.ask("status").returncode == 1
    started = engine.ask("start")
    assert started.returncode == 0, started.stderr
    assert engine.docker("network", "ls", "--filter", "driver=bridge", "--quiet") == ""
    assert links() == before
    assert engine.docker("info", "--format", "{{.DockerRootDir}}").strip() == str(engine.folder / "home/docker/data")

    first = engine.pid()
    assert "used as it is" in engine.ask("start").stderr
    assert engine.pid() == first

    assert engine.ask("stop").returncode == 0
    assert has_ended(first)
    assert engine.ask("status").returncode == 1


def test_after_the_engine_was_killed_set_up_starts_it_again(engine: PrivateEngine) -> None:
    assert engine.ask("start").returncode == 0
    killed = engine.pid()
    os.kill(killed, signal.SIGKILL)
    until(lambda: has_ended(killed), what="the end of the engine", limit_seconds=10)
    again = engine.ask("start")
    assert again.returncode == 0, again.stderr
    assert engine.pid() != killed
    assert engine.docker("info", "--format", "{{.ServerVersion}}").strip()
