"""What checks are parametrised by, and what becomes of their outcomes, with a real pytest run."""

from pathlib import Path

import pytest

from epolab.errors import LabBusyError
from epolab.topology import load_topology
from epolab.verify import plugin as plugin_module
from epolab.verify.plugin import VerdictPlugin, subjects
from epolab.verify.report import Result
from epolab.verify.run import QUIET
from epolab.verify.turns import Turns, turn
from epolab.verify.witness import Witness

TOPOLOGIES = Path(__file__).parents[4] / "topologies"
MINIMAL = load_topology(TOPOLOGIES / "minimal.yaml")
CHECKS = '''
import pytest
from epolab.verify.broken import expect

def test_kept(agent):
    """it is kept"""

def test_broken(agent):
    """it is broken"""
    expect(False, "that", "this")

def test_nobody(relay):
    """there is nobody to ask"""

def test_skipped(agent):
    """it was not evaluated"""
    pytest.skip("no time")

@pytest.fixture
def impossible():
    raise OSError("no connection")

def test_error(agent, impossible):
    """it could not be evaluated"""
'''


def run_checks(folder: Path) -> list[Result]:
    """The acceptance file of a promise, run as the verdict runs it."""
    file = folder / "test_iptables.py"
    file.write_text(CHECKS)
    told: list[Result] = []
    plugin = VerdictPlugin(Witness("lab", MINIMAL, folder), told.append)
    pytest.main(["-c", "/dev/null", "--rootdir", str(folder), *QUIET, str(file)], plugins=[plugin])
    assert told == plugin.results
    return told


def test_subjects_are_the_topologys_own() -> None:
    quickstart = subjects(load_topology(TOPOLOGIES / "quickstart.yaml"))
    assert quickstart["needy"] == ("india/india-pc-1", "india/india-pc-2")
    assert quickstart["repository"] == ("tokyo/tokyo-sa",)
    assert quickstart["needy_with_choice"] == quickstart["needy"]
    assert set(quickstart["agent"]) - set(quickstart["wakeable"]) == set(quickstart["needy"])
    assert quickstart["visited_relay"] == quickstart["relay"]
    assert subjects(MINIMAL)["relay"] == ()


def test_outcomes_carry_node_expectation_and_observation(tmp_path: Path) -> None:
    results = {result.reason: result for result in run_checks(tmp_path)}
    assert results["it is kept"].outcome == "passed"
    broken = results["it is broken"]
    assert (broken.promise, broken.node, broken.outcome) == ("iptables", "hq/pc-1", "failed")
    assert (broken.expected, broken.observed) == ("that", "this")


def test_what_was_not_evaluated_has_failed_and_what_has_no_subject_is_not_there(tmp_path: Path) -> None:
    results = {result.reason: result for result in run_checks(tmp_path)}
    assert results["it was not evaluated"].outcome == "failed"
    assert results["it could not be evaluated (setup)"].observed == "OSError: no connection"
    assert "there is nobody to ask" not in results


TURNS = """
import pytest
from epolab.errors import LabBusyError
from epolab.verify.turns import turn

DISTURBS = {disturbs}

def seen(folder, alone):
    try:
        with turn(folder, alone=alone, limit_seconds=0):
            return True
    except LabBusyError:
        return False

def look(folder, what):
    with (folder / "seen").open("a") as file:
        file.write(f"{{what}} {name}: shared {{seen(folder, False)}}, alone {{seen(folder, True)}}\\n")

@pytest.fixture(scope="module")
def disturbed(folder):
    look(folder, "set up")
    yield
    look(folder, "tear down")

@pytest.mark.disturbs
def test_marked(folder, disturbed):
    look(folder, "marked")

def test_plain(folder, agent):
    look(folder, "plain")
"""


def test_a_turn_spans_the_modules_fixtures_and_what_disturbs_comes_last(tmp_path: Path) -> None:
    for name, disturbs in (("looking", False), ("second", True), ("first", True)):
        (tmp_path / f"test_{name}.py").write_text(TURNS.format(disturbs=disturbs, name=name))
    plugin = VerdictPlugin(Witness("lab", MINIMAL, tmp_path), lambda _: None)
    files = [str(tmp_path / f"test_{name}.py") for name in ("first", "looking", "second")]
    pytest.main(["-c", "/dev/null", "--rootdir", str(tmp_path), *QUIET, *files], plugins=[plugin])
    assert {result.outcome for result in plugin.results} == {"passed"}
    held = "shared False, alone False"
    assert (tmp_path / "seen").read_text().splitlines() == [
        "plain looking: shared True, alone False",
        *(f"{what} first: {held}" for what in ("set up", "marked", "plain", "tear down")),
        *(f"{what} looking: {held}" for what in ("set up", "marked", "tear down")),
        *(f"{what} second: {held}" for what in ("set up", "marked", "plain", "tear down")),
    ]
    with turn(tmp_path, alone=True, limit_seconds=0):
        pass


def test_a_lab_that_others_do_not_let_go_of_is_the_runs_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin_module, "Turns", lambda folder: Turns(folder, limit_seconds=0))
    file = tmp_path / "test_held.py"
    file.write_text(CHECKS)
    plugin = VerdictPlugin(Witness("lab", MINIMAL, tmp_path), lambda _: None)
    with turn(tmp_path, alone=True):
        pytest.main(["-c", "/dev/null", "--rootdir", str(tmp_path), *QUIET, str(file)], plugins=[plugin])
    assert isinstance(plugin.failure, LabBusyError)
    assert plugin.results == []
