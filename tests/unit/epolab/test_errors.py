"""The error tree: branches, exit codes, documents."""

import inspect
import re

import pytest

from epolab import errors
from epolab.errors import EngineError, EpolabError, HostError, TopologyInvalidError, UserInputError, WorldError
from epolab.model.problem import Problem

ALL = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, EpolabError) and c is not EpolabError]


@pytest.mark.parametrize("kind", ALL, ids=lambda c: c.__name__)
def test_every_error_is_in_the_drawing_and_has_a_promise(kind: type[EpolabError]) -> None:
    assert re.search(rf"── {kind.__name__}\b", errors.__doc__ or "")
    assert kind.__doc__
    assert kind.exit_code in (2, 3, 4, 130)


@pytest.mark.parametrize(("branch", "code"), [(UserInputError, 2), (HostError, 3), (WorldError, 4)])
def test_a_branch_has_one_exit_code(branch: type[EpolabError], code: int) -> None:
    assert {kind.exit_code for kind in ALL if issubclass(kind, branch)} == {code}


def test_the_document_says_what_to_do_next() -> None:
    error = EngineError("it broke", hint="mend it", step="engine", evidence=["seen"])
    assert error.document() == {
        "code": "engine",
        "message": "it broke",
        "hint": "mend it",
        "step": "engine",
        "evidence": ["seen"],
    }


def test_the_docstring_is_the_default_message() -> None:
    assert errors.LabNotFoundError().message == "There is no such lab."
    assert errors.LabNotFoundError().hint == "epolab ls"


def test_problems_become_evidence() -> None:
    error = TopologyInvalidError([Problem("x.yaml", 3, 5, "bad-name", "error", "no", "yes")])
    assert error.evidence == ["x.yaml:3:5: error: no [bad-name]"]
