import random
from pathlib import Path

import pytest

from epolab.errors import TopologyInvalidError
from epolab.topology import load, load_text, load_topology, problems_of
from epolab.topology.load import stem

ROOT = Path(__file__).parents[4]
QUICKSTART = (ROOT / "topologies/quickstart.yaml").read_text(encoding="utf-8")
FILES = sorted((ROOT / "topologies").glob("*.yaml"))
TOKENS = (
    "[]",
    "{}",
    "null",
    "5",
    "-1",
    "true",
    "hq",
    "any",
    "10ms",
    "99999999999999999999",
    "'",
    "[",
    "é",
    "a: b",
    "&x",
    "*x",
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_topology_of_the_repository_is_valid(file: Path) -> None:
    assert load(file).valid
    assert load_topology(file).name == file.stem


def test_an_invalid_file_carries_all_its_problems() -> None:
    file = ROOT / "tests/cases/topology/everything-at-once.yaml"
    with pytest.raises(TopologyInvalidError) as caught:
        load_topology(file)
    assert caught.value.problems == tuple(problems_of(file))
    assert len(caught.value.problems) >= 8
    assert caught.value.exit_code == 2


def test_a_file_that_is_not_there_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(TopologyInvalidError):
        load_topology(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("name", "lab"),
    [
        ("x/quick start.yaml", "quick-start"),
        ("2nd.yaml", "lab-2nd"),
        ("Ähm.yml", "hm"),
        ("-.yaml", "lab"),
        ("a" * 40, "a" * 31),
    ],
)
def test_a_file_gives_a_lab_name(name: str, lab: str) -> None:
    assert stem(name) == lab


def broken(seed: int) -> str:
    """The quickstart with a few random edits."""
    chance = random.Random(seed)
    lines = QUICKSTART.splitlines()
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(lines))
        line = lines[at]
        edit = chance.randrange(5)
        if edit == 0:
            del lines[at]
        elif edit == 1:
            lines.insert(at, lines[chance.randrange(len(lines))])
        elif edit == 2:
            lines[at] = f"{line.partition(':')[0]}: {chance.choice(TOKENS)}"
        elif edit == 3 and line:
            place = chance.randrange(len(line))
            lines[at] = line[:place] + line[place + 1 :]
        else:
            lines[at] = "  " + line
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", range(150))
def test_whatever_is_written_is_judged_and_never_fails(seed: int) -> None:
    text = broken(seed)
    loaded = load_text(text.encode(), "broken.yaml")
    assert loaded.valid or any(problem.severity == "error" for problem in loaded.problems)
    for problem in loaded.problems:
        assert 1 <= problem.line <= text.count("\n") + 1 and problem.column >= 1
        assert problem.message and "\n" not in problem.message
