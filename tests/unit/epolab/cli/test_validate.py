import argparse
import io
import json
from pathlib import Path

import pytest

from epolab.cli import validate
from epolab.cli.command import build_parser
from epolab.cli.output import Output

ROOT = Path(__file__).parents[4]
GOOD = ROOT / "topologies/quickstart.yaml"
BAD = ROOT / "tests/cases/topology/no-sql.yaml"


def run(*files: Path, json_wanted: bool = False) -> tuple[int, str]:
    text = io.StringIO()
    out = Output(json_wanted=json_wanted, verbose=False, stdout=text, stderr=io.StringIO())
    code = validate.run(argparse.Namespace(files=list(files)), out)
    out.finish()
    return code, text.getvalue()


def test_a_good_file_ends_with_0_although_there_is_a_warning() -> None:
    code, text = run(GOOD)
    assert code == 0
    assert text.endswith(f"{GOOD}: valid (1 warning)\n")


def test_a_bad_file_ends_with_2_and_says_where() -> None:
    code, text = run(BAD)
    assert code == 2
    assert f"{BAD}:3:3: error: no node carries the database [no-sql]" in text
    assert text.endswith(f"{BAD}: not valid (1 error)\n")


def test_the_document_holds_the_problems_of_all_files() -> None:
    code, text = run(GOOD, BAD, json_wanted=True)
    document = json.loads(text)
    assert (code, document["valid"]) == (2, False)
    assert {problem["file"] for problem in document["problems"]} == {str(GOOD), str(BAD)}
    keys = {"file", "line", "column", "code", "severity", "message", "hint"}
    assert all(set(problem) == keys for problem in document["problems"])


def test_a_file_that_is_not_there_is_a_problem_of_the_document(tmp_path: Path) -> None:
    code, text = run(tmp_path / "none.yaml", json_wanted=True)
    assert code == 2
    assert json.loads(text)["problems"][0]["code"] == "file-unreadable"


@pytest.mark.parametrize("argv", [["validate", "a.yaml"], ["--json", "validate", "a.yaml", "b.yaml"]])
def test_the_verb_takes_one_file_or_several(argv: list[str]) -> None:
    files = build_parser(argv).parse_args(argv).files
    assert [str(file) for file in files] == [word for word in argv if word.endswith(".yaml")]
