"""What checks are parametrised by, and what becomes of their outcomes, with a real pytest run."""

from pathlib import Path

import pytest

from epolab.topology import load_topology
from epolab.verify.plugin import VerdictPlugin, subjects
from epolab.verify.report import Result
from epolab.verify.run import QUIET
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
