"""The stack's state is mended before use; the engine's events become a person's lines."""

import json
from types import SimpleNamespace

import pytest
from pulumi.automation import OpType

from epolab.hands.files import LabFolder
from epolab.stack import mend_state, tell, was_interrupted


@pytest.fixture(name="folder")
def folder_fixture(tmp_path):
    return LabFolder(tmp_path / "lab").make()


@pytest.fixture(name="checkpoint")
def checkpoint_fixture(folder):
    path = folder.path / "state/backend/.pulumi/stacks/epolab/lab.json"
    path.parent.mkdir(parents=True)
    return path


def test_without_a_state_there_is_no_stack(folder):
    assert not mend_state(folder)


def test_a_sound_state_is_kept(folder, checkpoint):
    text = json.dumps({"checkpoint": {"latest": {"resources": []}}})
    checkpoint.write_text(text)
    assert mend_state(folder)
    assert checkpoint.read_text() == text


def test_pending_operations_and_locks_of_a_killed_engine_go(folder, checkpoint):
    checkpoint.write_text(json.dumps({"checkpoint": {"latest": {"resources": [1], "pending_operations": [2]}}}))
    locks = folder.path / "state/backend/.pulumi/locks/organization"
    locks.mkdir(parents=True)
    (locks / "x.json").write_text("{}")
    assert mend_state(folder)
    assert json.loads(checkpoint.read_text()) == {"checkpoint": {"latest": {"resources": [1]}}}
    assert not locks.exists()


@pytest.mark.parametrize("text", ["", "{half", "[]", '{"checkpoint": null}', '{"checkpoint": {"latest": 3}}'])
def test_a_state_that_cannot_be_read_is_set_aside(folder, checkpoint, text):
    checkpoint.write_text(text)
    assert not mend_state(folder)
    assert not checkpoint.exists()
    assert (folder.path / "state/unreadable/.pulumi/stacks/epolab/lab.json").read_text() == text


def event(urn, op):
    metadata = SimpleNamespace(urn=urn, op=op)
    return SimpleNamespace(diagnostic_event=None, res_outputs_event=SimpleNamespace(metadata=metadata))


def test_what_happens_to_our_resources_is_told():
    said = []
    node = "urn:pulumi:lab::epolab::epolab:index:Lab$epolab:index:Site$epolab:index:Node::hq/pc-1"
    for urn, op in (
        (node, OpType.CREATE),
        (node, OpType.SAME),
        ("urn:pulumi:l::p::pulumi:pulumi:Stack::x", OpType.CREATE),
    ):
        tell(event(urn, op), said.append, [])
    assert said == ["created node hq/pc-1"]


def test_what_the_engine_complains_about_is_kept_without_its_colours():
    complaints = []
    diagnostic = SimpleNamespace(severity="error", message="<{%reset%}>create lab.fabric: no\n<{%reset%}>")
    tell(SimpleNamespace(diagnostic_event=diagnostic, res_outputs_event=None), print, complaints)
    assert complaints == ["create lab.fabric: no"]


def test_an_engine_that_was_cancelled_is_an_interruption_and_a_failure_is_not():
    assert was_interrupted("code: 255", ["update canceled"])
    assert was_interrupted("error: operation cancelled", [])
    assert not was_interrupted("code: 255", ["the container runtime refused"])
