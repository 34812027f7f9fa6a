"""What a run's events amount to, and what Ansible is told by its environment."""

import io
from pathlib import Path

import pytest

from epolab.deploy.runner import Watcher, environment, message_of


@pytest.fixture
def watcher() -> Watcher:
    return Watcher(told.append, io.StringIO())


told: list[str] = []


def event(name: str, **data: object) -> dict[str, object]:
    return {"event": name, "stdout": "said", "event_data": {"host": "tokyo.pc-1", "task": "Agent runs", **data}}


def test_a_failure_names_node_task_and_message(watcher: Watcher) -> None:
    watcher.see(event("runner_on_failed", res={"msg": "no\n supervisor"}))
    watcher.see(event("runner_on_unreachable", res={"msg": "gone"}))
    watcher.see(event("runner_on_failed", res={"msg": "expected"}, ignore_errors=True))
    assert [failure.text for failure in watcher.failures] == [
        "tokyo/pc-1: Agent runs: no supervisor",
        "tokyo/pc-1: Agent runs: gone",
    ]


def test_changed_hosts_are_known_and_nothing_is_kept_by_ansible_runner(watcher: Watcher) -> None:
    assert watcher.see(event("runner_on_ok", res={"censored": "hidden"})) is False
    watcher.see(event("playbook_on_stats", changed={"tokyo.pc-1": 2, "hq.epo": 0}))
    assert watcher.changed == {"tokyo.pc-1"}
    assert watcher.log.getvalue() == "said\nsaid\n"  # type: ignore[attr-defined]


def test_a_role_is_announced_once(watcher: Watcher) -> None:
    told.clear()
    for role in ("base", "base", "agent"):
        watcher.see(event("playbook_on_task_start", role=role))
    assert told == ["role base", "role agent"]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"stderr": "broken", "msg": "non-zero return code"}, "broken"),
        ({"msg": "short"}, "short"),
        ({"censored": "hidden"}, "hidden"),
        ({}, "failed"),
    ],
)
def test_the_most_telling_words_are_taken(result: dict[str, str], message: str) -> None:
    assert message_of(result) == message


def test_plain_ssh_keeps_its_connections_and_mitogen_does_so_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPOLAB_ANSIBLE_STRATEGY", "linear")
    plain = environment(Path("/w"), Path("/t"), Path("/r"))
    assert plain["ANSIBLE_STRATEGY"] == "linear"
    assert "ControlPersist" in plain["ANSIBLE_SSH_ARGS"]
    monkeypatch.delenv("EPOLAB_ANSIBLE_STRATEGY")
    assert environment(Path("/w"), Path("/t"), Path("/r"))["ANSIBLE_SSH_ARGS"] == ""
