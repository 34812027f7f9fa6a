"""Services: shown to the supervisor, started with their inputs, restarted when those differ, and not otherwise."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from epolab.deploy.ansible_collections.epolab.node.plugins.modules.services import (
    Service,
    ServiceError,
    apply,
    await_supervisor,
)

ME = pwd.getpwuid(os.getuid()).pw_name


class Supervisor:
    """Answers as `sv` does."""

    def __init__(self, *, fails: bool = False) -> None:
        self.up: set[str] = set()
        self.restarts: list[list[str]] = []
        self.fails = fails

    def __call__(self, argv: list[str]) -> tuple[int, str, str]:
        names = [Path(word).name for word in argv if word.startswith("/")]
        if argv[1] == "status":
            return 0, f"run: {names[0]}" if names[0] in self.up else f"down: {names[0]}", ""
        self.restarts.append(names)
        self.up.update(names)
        return (1, f"timeout: down: {argv[-1]}: 1s", "") if self.fails else (0, "ok: run", "")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A node's file system with a supervised service."""
    supervise = tmp_path / "etc/sv/cmdagent/supervise"
    supervise.mkdir(parents=True)
    (supervise.parent / "run").write_text("#!/bin/sh\n")
    (tmp_path / "etc/agent.json").write_text("{}")
    os.mkfifo(supervise / "ok")
    reader = os.open(supervise / "ok", os.O_RDONLY | os.O_NONBLOCK)
    yield tmp_path
    os.close(reader)


def wanted(state: str = "up", **more: object) -> dict[str, object]:
    return {"services": ["cmdagent"], "state": state, "inputs": ["/etc/agent.json"], "entrusted": {}, **more}


def test_a_service_is_started_once(root: Path) -> None:
    supervisor = Supervisor()
    assert apply(wanted(), supervisor, dry=False, root=root) == ["cmdagent"]
    assert apply(wanted(), supervisor, dry=False, root=root) == []
    assert supervisor.restarts == [["cmdagent"]]
    assert (root / "etc/service/cmdagent").readlink() == Path("/etc/sv/cmdagent")
    assert (root / "etc/init.d/cmdagent").readlink() == Path("/usr/bin/sv")
    assert not (root / "etc/sv/cmdagent/down").exists()


@pytest.mark.parametrize("input_", ["etc/agent.json", "etc/sv/cmdagent/run"])
def test_other_inputs_restart_it(root: Path, input_: str) -> None:
    supervisor = Supervisor()
    apply(wanted(), supervisor, dry=False, root=root)
    (root / input_).write_text("other")
    assert apply(wanted(), supervisor, dry=False, root=root) == ["cmdagent"]
    assert len(supervisor.restarts) == 2


def test_one_that_went_down_is_started_again(root: Path) -> None:
    supervisor = Supervisor()
    apply(wanted(), supervisor, dry=False, root=root)
    supervisor.up.clear()
    assert apply(wanted(), supervisor, dry=False, root=root) == ["cmdagent"]


def test_a_restart_that_failed_is_still_owed(root: Path) -> None:
    with pytest.raises(ServiceError, match="timeout: down"):
        apply(wanted(), Supervisor(fails=True), dry=False, root=root)
    supervisor = Supervisor()
    supervisor.up.add("cmdagent")
    assert apply(wanted(), supervisor, dry=False, root=root) == ["cmdagent"]


def test_a_known_service_stays_down_and_one_that_runs_is_left_alone(root: Path) -> None:
    supervisor = Supervisor()
    assert apply(wanted("known"), supervisor, dry=False, root=root) == ["cmdagent"]
    assert (root / "etc/sv/cmdagent/down").exists()
    apply(wanted(), supervisor, dry=False, root=root)
    assert apply(wanted("known"), supervisor, dry=False, root=root) == []
    assert not (root / "etc/sv/cmdagent/down").exists()


def test_an_entrusted_service_is_down_and_its_pipes_are_the_users(root: Path) -> None:
    supervisor = Supervisor()
    entrusted = wanted("known", services=[], entrusted={"cmamesh": ME})
    assert apply(entrusted, supervisor, dry=False, root=root) == ["cmamesh"]
    assert apply(entrusted, supervisor, dry=False, root=root) == []
    control = root / "etc/sv/cmamesh/supervise/control"
    assert control.is_fifo()
    assert control.stat().st_uid == os.getuid()
    assert (root / "etc/sv/cmamesh/down").exists()
    assert supervisor.restarts == []


def test_a_dry_run_starts_nothing(root: Path) -> None:
    supervisor = Supervisor()
    assert apply(wanted(), supervisor, dry=True, root=root) == ["cmdagent"]
    assert supervisor.restarts == []
    assert not (root / "etc/service").exists()


def test_a_service_that_nobody_supervises_is_an_error(root: Path) -> None:
    (root / "etc/sv/cmdagent/supervise/ok").unlink()
    with pytest.raises(ServiceError, match="no supervisor took it"):
        await_supervisor(Service("cmdagent", root=root), limit_seconds=0.2)
