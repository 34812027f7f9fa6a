"""What checks are parametrised by, and what becomes of their outcomes, with a real pytest run."""

from pathlib import Path

import pytest

from epolab.errors import ConnectionFailedError, LabBusyError
from epolab.model import facts
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
    assert quickstart["uncallable"] == quickstart["masked"] == quickstart["hiding"] == ()
    conversations = subjects(load_topology(TOPOLOGIES / "conversations.yaml"))
    assert conversations["uncallable"] == conversations["masked"] == ("lyon/lyon-pc", "lyon/lyon-laptop")
    assert conversations["hiding"] == ("lyon/router",)
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
from epolab.errors import ConnectionFailedError, LabBusyError
from epolab.model import facts
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


WITHOUT_A_NODE = """
import pytest

@pytest.fixture(scope="module")
def everything(whole):
    return None

def test_looked(witness, agent):
    'it is looked at'
    assert witness.runs(agent)

def test_together(everything, handler):
    'all of it is looked at'

def test_after(handler):
    'something else is looked at'
"""


def run_without(folder: Path, name: str, absent: dict[str, str]) -> list[tuple[str, str | None, str, str]]:
    file = folder / f"test_{name}.py"
    file.write_text(WITHOUT_A_NODE)
    plugin = VerdictPlugin(Witness("lab", MINIMAL, folder, absent), lambda _: None)
    pytest.main(["-c", "/dev/null", "--rootdir", str(folder), *QUIET, str(file)], plugins=[plugin])
    return [(result.reason, result.node, result.outcome, result.observed) for result in plugin.results]


def test_without_a_plain_agent_only_its_own_checks_fail(tmp_path: Path) -> None:
    assert run_without(tmp_path, "agent_gone", {"hq/pc-1": "it has no container"}) == [
        ("it is looked at (setup)", "hq/pc-1", "failed", "hq/pc-1: it has no container"),
        ("all of it is looked at", "hq/epo", "passed", "as promised"),
        ("something else is looked at", "hq/epo", "passed", "as promised"),
    ]


def test_without_the_router_what_needs_the_whole_lab_fails_and_names_it(tmp_path: Path) -> None:
    assert run_without(tmp_path, "router_gone", {"hq/router": "it has no container"}) == [
        ("it is looked at", "hq/pc-1", "passed", "as promised"),
        ("all of it is looked at (setup)", "hq/epo", "failed", "hq/router: it has no container"),
        ("something else is looked at", "hq/epo", "passed", "as promised"),
    ]


def test_a_node_that_does_not_run_is_not_called(tmp_path: Path) -> None:
    witness = Witness("lab", MINIMAL, tmp_path, {"hq/pc-1": "it has no container"})
    with pytest.raises(ConnectionFailedError, match="hq/pc-1 does not run: it has no container"):
        witness.run("hq/pc-1", "true")
    assert [node.path for node in witness.running(facts.agents(MINIMAL))] == []


def test_what_cannot_be_torn_down_is_the_labs_and_not_the_last_nodes(tmp_path: Path) -> None:
    file = tmp_path / "test_left.py"
    file.write_text(
        "import pytest\n"
        "@pytest.fixture(scope='module')\n"
        "def left():\n    yield\n    raise OSError('hq/pc-9 is left')\n"
        "def test_it(agent, left):\n    'it is kept'\n"
    )
    plugin = VerdictPlugin(Witness("lab", MINIMAL, tmp_path), lambda _: None)
    pytest.main(["-c", "/dev/null", "--rootdir", str(tmp_path), *QUIET, str(file)], plugins=[plugin])
    assert [(r.node, r.outcome) for r in plugin.results] == [("hq/pc-1", "passed"), (None, "failed")]
    assert plugin.results[1].observed == "OSError: hq/pc-9 is left"
