"""An agent, or a swarm, whose status cannot be written: a full disk, for example, must not end it."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from miniepo import config
from miniepo.store.store import Store
from tests.integration.miniepo.field import AgentProcess, Field, open_field, until
from tests.integration.miniepo.swarming import start_swarm

pytestmark = pytest.mark.integration


@pytest.fixture
def field(tmp_path: Path, database: config.Database) -> Iterator[Field]:
    with open_field(tmp_path, database) as opened:
        yield opened


def calls(field: Field) -> int:
    async def read(store: Store) -> int:
        return len(await store.systems.callins(None, 0))

    return field.store(read)


def stand_in_the_way(path: Path) -> bool:
    """Put a folder that is not empty where a file is; whether it is there."""
    path.unlink(missing_ok=True)
    with contextlib.suppress(FileExistsError):  # it was faster
        (path / "folder").mkdir(parents=True)
    return path.is_dir()


@pytest.mark.parametrize(
    "started",
    [
        pytest.param(lambda field: field.agent("pc-1", asci_seconds=1), id="agent"),
        pytest.param(lambda field: start_swarm(field, "crowd", 2, asci_seconds=1), id="swarm"),
    ],
)
def test_its_work_goes_on_and_the_status_comes_back(field: Field, started: Callable[[Field], AgentProcess]) -> None:
    field.handler("hq/epo")
    agent = started(field)
    until(lambda: agent.status())
    status = agent.state / "status.json"
    until(lambda: stand_in_the_way(status))
    until(lambda: "status.json: " in agent.process.text(), what="it says so")
    before = calls(field)
    until(lambda: calls(field) > before, what="it calls in again")
    shutil.rmtree(status)
    until(lambda: status.is_file() and agent.status(), what="the status comes back")
