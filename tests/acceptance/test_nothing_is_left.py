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


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    succeed(tmp_path / "home", "down", NAME)


def seconds_of_an_up(home: Path) -> float:
    """How long a whole `up` takes here, so that the moments are spread over all of it."""
    began = time.monotonic()
    succeed(home, "up", FILE, "--name", NAME)
    return time.monotonic() - began


@pytest.fixture(scope="module", name="whole_up")
def whole_up_fixture(tmp_path_factory: pytest.TempPathFactory) -> float:
    home = tmp_path_factory.mktemp("whole") / "home"
    home.mkdir()
    seconds = seconds_of_an_up(home)
    succeed(home, "down", NAME)
    return seconds


def test_down_leaves_nothing(home: Path) -> None:
    home.mkdir()
    (home / "labs").mkdir()
    before = look(home)
    succeed(home, "up", FILE, "--name", NAME, "--no-deploy")
    assert look(home).left_since(before), "the comparison would see nothing"
    document = succeed(home, "down", NAME)
    assert document["left"] == []
    assert document["removed"]
    assert_nothing_is_left(home, before)
    assert succeed(home, "down", NAME) == {"removed": [], "left": []}


def test_ctrl_c_says_what_is_left_and_the_lab_can_be_removed(home: Path, whole_up: float) -> None:
    home.mkdir()
    (home / "labs").mkdir()
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
    home: Path, whole_up: float, verb: str, share: float, mend: str
) -> None:
    home.mkdir()
    (home / "labs").mkdir()
    before = look(home)
    if verb == "down":
        succeed(home, "up", FILE, "--name", NAME, "--no-deploy")
        process, length = start(home, "down", NAME), 2.5
    else:
        process, length = start(home, "up", FILE, "--name", NAME), whole_up
    time.sleep(share * length)
    kill(process, signal.SIGKILL)
    mend_with(home, mend)
    assert_nothing_is_left(home, before)


def mend_with(home: Path, mend: str) -> None:
    """`up` resumes the lab and it is ready; `down` removes it; `sweep` removes it because its creator is gone."""
    if mend == "up":
        document = succeed(home, "up", FILE, "--name", NAME)
        assert document["state"] == "ready"
        succeed(home, "down", NAME)
    elif mend == "sweep":
        assert succeed(home, "sweep")["left"] == []
        if listed(home):  # the command had ended before it was killed: a healthy lab is never swept
            succeed(home, "down", NAME)
    else:
        assert succeed(home, "down", NAME)["left"] == []
    assert listed(home) == []


def listed(home: Path) -> list[str]:
    return [lab["lab"] for lab in succeed(home, "ls")]


def test_a_lost_or_broken_state_file_cannot_make_a_lab_unremovable(home: Path) -> None:
    home.mkdir()
    (home / "labs").mkdir()
    before = look(home)
    succeed(home, "up", FILE, "--name", NAME, "--no-deploy")
    broken = [path for path in (home / "labs" / NAME / "state").rglob("*.json") if path.is_file()]
    assert broken, "there is no state file to break"
    for path in broken:
        path.write_text("{ not json")
    assert epolab(home, "down", NAME).code == 0
    assert_nothing_is_left(home, before)
