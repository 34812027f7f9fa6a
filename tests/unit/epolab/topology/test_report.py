from epolab.topology.report import Report, closest, did_you_mean
from epolab.yaml_file import Place


def test_problems_come_in_the_order_of_the_file_and_once() -> None:
    report = Report("f")
    report.error(Place(3, 1), "b", "later")
    report.warning(Place(1, 2), "c", "warned")
    report.error(Place(1, 2), "a", "first")
    report.error(Place(3, 1), "b", "later")
    assert [problem.code for problem in report.problems] == ["a", "c", "b"]
    assert [problem.code for problem in report.errors] == ["a", "b"]


def test_what_was_spoiled_is_known_below_and_above() -> None:
    report = Report("f")
    report.error(Place(1, 1), "x", "y", spoils=("topology", "sites", "hq", "nodes"))
    assert report.spoiled("topology", "sites", "hq", "nodes", "pc")
    assert report.spoiled("topology", "sites")
    assert report.spoiled("topology", "sites", "*", "nodes")
    assert not report.spoiled("topology", "sites", "tokyo")
    assert not report.spoiled("topology", "wan")


def test_only_what_lies_above_is_lost() -> None:
    report = Report("f")
    report.error(Place(1, 1), "x", "y", spoils=("topology", "sites", "hq", "nodes", "pc", "asci"))
    assert not report.lost("topology", "sites", "*", "nodes", "*")
    assert report.lost("topology", "sites", "*", "nodes", "*", "asci")
    report.error(Place(1, 1), "x", "y", spoils=("topology", "sites", "hq"))
    assert report.lost("topology", "sites", "*", "nodes", "*")


def test_a_near_word_is_suggested() -> None:
    assert did_you_mean("Agnet", ["agent", "relay"]) == '; did you mean "agent"?'
    assert did_you_mean("printer", ["agent", "router"]) == ""
    assert closest("tokoy", ["tokyo"]) == "tokyo"
    assert closest("x", ["tokyo"]) is None
