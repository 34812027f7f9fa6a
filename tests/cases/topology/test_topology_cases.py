"""Every topology in this folder says exactly what the file `.expected` beside it holds."""

from pathlib import Path

import pytest

from epolab.model.problem import Problem
from epolab.topology import Loaded, load_text

CASES = sorted(Path(__file__).parent.glob("*.yaml"))


def judge(case: Path) -> Loaded:
    return load_text(case.read_bytes(), case.name)


def text_of(problems: tuple[Problem, ...]) -> str:
    return "".join(f"{problem.render()}\n" for problem in problems)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_broken_topology_says_exactly_what_is_wrong(case: Path) -> None:
    assert text_of(judge(case).problems) == case.with_suffix(".expected").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_topology_with_an_error_is_not_valid_and_one_with_warnings_is(case: Path) -> None:
    loaded = judge(case)
    assert loaded.valid is all(problem.severity == "warning" for problem in loaded.problems)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_places_count_from_one_and_lie_in_the_file(case: Path) -> None:
    lines = case.read_bytes().count(b"\n") + 1
    for problem in judge(case).problems:
        assert 1 <= problem.line <= lines
        assert problem.column >= 1


def test_there_are_enough_broken_files_and_distinct_codes() -> None:
    codes = {problem.code for case in CASES for problem in judge(case).problems}
    assert len(CASES) >= 45
    assert len(codes) >= 35


def test_no_expectation_is_left_over() -> None:
    assert {path.stem for path in Path(__file__).parent.glob("*.expected")} == {case.stem for case in CASES}
