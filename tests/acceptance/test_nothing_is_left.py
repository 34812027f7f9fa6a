"""After `down`, after Ctrl-C and after SIGKILL at seeded random moments: nothing of the lab is on the machine."""

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.lab import TOPOLOGIES, epolab, kill, start, succeed
from tests.acceptance.world import assert_nothing_is_left, look

pytestmark = pytest.mark.acceptance

NAME = "left"
FILE = TOPOLOGIES / "minimal.yaml"
SEED = 8081
MOMENTS = 10
# a command that was faster than the measured one is killed at an earlier moment, and so on so many times
DRAWS, EARLIER = 5, 0.75


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    (folder / "labs").mkdir(parents=True)
    yield folder
    succeed(folder, "down", NAME)


def seconds_of(home: Path, *argv: str | Path) -> float:
    """How long a command takes here from its start to its end, so that the moments are spread over all of it."""
    began = time.monotonic()
    succeed(home, *argv)
    return time.monotonic() - began


@pytest.fixture(scope="module", name="whole_up")
def whole_up_fixture(tmp_path_factory: pytest.TempPathFactory) -> float:
    home = tmp_path_factory.mktemp("whole") / "home"
    seconds = seconds_of(home, "up", FILE, "--name", NAME)
    succeed(home, "down", NAME)
    return seconds


@pytest.fixture(scope="module", name="whole_down")
def whole_down_fixture(tmp_path_factory: pytest.TempPathFactory) -> float:
    home = tmp_path_factory.mktemp("whole") / "home"
    succeed(home, "up", FILE, "--name", NAME, "--no-deploy")
    return seconds_of(home, "down", NAME)


def test_down_leaves_nothing(home: Path) -> None:
    before = look(home)
    succeed(home, "up", FILE, "--name", NAME, "--no-deploy")
    assert look(home).left_since(before), "the comparison would see nothing"
    document = succeed(home, "down", NAME)
    assert document["left"] == []
    assert document["removed"]
    assert_nothing_is_left(home, before)
    assert succeed(home, "down", NAME) == {"removed": [], "left": []}


def test_ctrl_c_says_what_is_left_and_the_lab_can_be_removed(home: Path, whole_up: float) -> None:
    before = look(home)
    process = start(home, "up", FILE, "--name", NAME)
    time.sleep(whole_up * 0.4)
    said = kill(process, signal.SIGINT)
    assert process.returncode == 130, said
    assert "epolab up" in said or "nothing was created" in said or "cleaned up" in said, said
    succeed(home, "down", NAME)
    assert_nothing_is_left(home, before)


def moments() -> list[tuple[str, float, str]]:
    """(command that is killed, share of its time, what mends it), seeded and spread over the whole of its time."""
    dice = random.Random(SEED)
    killed = ["up"] * 7 + ["down"] * 3
    mends = ["up", "down", "sweep"]
    return [
        (verb, round((killed[:number].count(verb) + dice.random()) / killed.count(verb), 3), mends[number % 3])
        for number, verb in enumerate(killed[:MOMENTS])
    ]


@pytest.mark.parametrize(("verb", "share", "mend"), moments())
def test_sigkill_at_any_moment_is_mended_by_the_next_command(
    home: Path, whole_up: float, whole_down: float, verb: str, share: float, mend: str
) -> None:
    before = look(home)
    kill_midway(home, verb, share * (whole_up if verb == "up" else whole_down))
    mend_with(home, mend, verb)
    assert_nothing_is_left(home, before)


def kill_midway(home: Path, verb: str, moment: float) -> None:
    """Kill the command while it runs; when it was faster than the one that was measured, all again and earlier."""
    for _ in range(DRAWS):
        if verb == "down":
            succeed(home, "up", FILE, "--name", NAME, "--no-deploy")
        process = start(home, "down", NAME) if verb == "down" else start(home, "up", FILE, "--name", NAME)
        time.sleep(moment)
        said = kill(process, signal.SIGKILL)
        if process.returncode == -signal.SIGKILL:
            return
        assert process.returncode == 0, said
        succeed(home, "down", NAME)
        moment *= EARLIER
    pytest.fail(f"{verb} always ended before it could be killed")


def mend_with(home: Path, mend: str, killed: str) -> None:
    """`up` resumes the lab and it is ready; `down` removes it; `sweep` removes it because its creator is gone."""
    if mend == "up":
        document = succeed(home, "up", FILE, "--name", NAME)
        assert document["state"] == "ready"
        succeed(home, "down", NAME)
    elif mend == "sweep":
        sweep_after(home, killed)
    else:
        assert succeed(home, "down", NAME)["left"] == []
    assert listed(home) == []


def sweep_after(home: Path, killed: str) -> None:
    """A lab that never stood is swept, and one whose removal has begun; one that stands is not."""
    folder = home / "labs" / NAME
    standing = (folder / "stood.json").exists() and not (folder / "removal.json").exists()
    if killed == "up":
        assert listed(home) == [NAME], "there is nothing to sweep"
        assert not standing, "the lab stood already: nobody owes its removal"
    assert succeed(home, "sweep")["left"] == []
    assert listed(home) == ([NAME] if standing else [])
    if standing:
        succeed(home, "down", NAME)


def listed(home: Path) -> list[str]:
    """The lab of these tests, when it is there; others may live on this machine."""
    return [lab["lab"] for lab in succeed(home, "ls") if lab["lab"] == NAME]


def test_a_lost_or_broken_state_file_cannot_make_a_lab_unremovable(home: Path) -> None:
    before = look(home)
    succeed(home, "up", FILE, "--name", NAME, "--no-deploy")
    broken = [path for path in (home / "labs" / NAME / "state").rglob("*.json") if path.is_file()]
    assert broken, "there is no state file to break"
    for path in broken:
        path.write_text("{ not json")
    assert epolab(home, "down", NAME).code == 0
    assert_nothing_is_left(home, before)
