"""The order of a lab's life."""

from epolab.steps import life


def test_the_wan_is_measured_before_the_roles_start_any_agent():
    names = [step.name for step in life.UP]
    assert names == ["preflight", "build", "engine", "measure", "deploy", "ready"]


def test_nodes_are_there_before_anything_is_measured_on_them():
    assert [step.name for step in life.MAKE + life.MEASURE] == ["build", "engine", "measure"]
