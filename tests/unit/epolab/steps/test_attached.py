"""An attached lab is removed when its command ends, but a lab that was there before outlives an `up` that fails."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from epolab.errors import EpolabError, InterruptedByUserError, LabBusyError, MemoryShortError
from epolab.steps import attached as module
from epolab.steps.up import Wish

DOCUMENT = {"lab": "small"}


@pytest.fixture(name="removed")
def removed_fixture(runtime, world, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    removed: list[str] = []
    monkeypatch.setattr(module.Docker, "connect", lambda: runtime)
    monkeypatch.setattr(module, "take_down", lambda docker, lab, owner, say: removed.append(lab))
    return removed


@pytest.fixture(name="attach")
def attach_fixture(topology, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    def ends_with(error: BaseException | None) -> Callable[..., dict[str, Any]]:
        def act(*_: object) -> dict[str, Any]:
            if error is not None:
                raise error
            return DOCUMENT

        return act

    def attach(up=None, wait=None, *, keep_on_failure: bool = False) -> dict[str, Any]:
        monkeypatch.setattr(module, "up", ends_with(up))
        progress = SimpleNamespace(note=lambda text: None)
        wish = Wish(Path(topology.file), None)
        return module.attached(wish, progress, keep_on_failure=keep_on_failure, wait=ends_with(wait))

    return attach


@pytest.fixture(name="earlier", params=["container", "folder"])
def earlier_fixture(request: pytest.FixtureRequest, runtime, world) -> None:
    """The lab is there before the command."""
    if request.param == "container":
        runtime.create("small.fabric", {"Labels": {"epolab.lab": "small", "epolab.owner": "me"}})
    else:
        world.folder("small").make()


def test_it_is_removed_when_its_input_ends(attach, removed: list[str]) -> None:
    assert attach() == DOCUMENT
    assert removed == ["small"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), InterruptedByUserError(), MemoryShortError()])
def test_what_was_made_here_is_removed_when_up_fails(attach, removed: list[str], error: BaseException) -> None:
    with pytest.raises(EpolabError) as raised:
        attach(error)
    assert removed == ["small"]
    assert "lab small is removed" in " ".join([raised.value.message, *raised.value.evidence])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), InterruptedByUserError(), MemoryShortError()])
def test_a_lab_that_was_there_before_outlives_an_up_that_fails(
    attach, removed: list[str], earlier: None, error: BaseException
) -> None:
    with pytest.raises(type(error)):
        attach(error)
    assert removed == []


def test_a_lab_that_another_command_holds_is_not_ours_to_remove(attach, removed: list[str]) -> None:
    with pytest.raises(LabBusyError):
        attach(LabBusyError())
    assert removed == []


def test_a_failure_can_be_kept(attach, removed: list[str]) -> None:
    with pytest.raises(MemoryShortError):
        attach(MemoryShortError(), keep_on_failure=True)
    assert removed == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("no input")])
def test_however_the_waiting_ends_it_is_removed(attach, removed: list[str], error: BaseException) -> None:
    with pytest.raises((InterruptedByUserError, OSError)):
        attach(wait=error)
    assert removed == ["small"]
