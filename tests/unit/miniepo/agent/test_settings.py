"""What policies amount to."""

from pathlib import Path
from typing import Any

from miniepo.agent.settings import RelaySettings, resolve
from miniepo.protocol.messages import Policy, PolicySet
from tests.unit.miniepo.standins import agent_config


def policies(**settings: dict[str, Any]) -> PolicySet:
    listed = tuple(Policy(category=category, name=category, settings=each) for category, each in settings.items())
    return PolicySet(version="1", policies=listed)


def test_without_policy_the_installation_decides(tmp_path: Path) -> None:
    settings = resolve(policies(), agent_config(tmp_path))
    assert (settings.asci_seconds, settings.wakeup_port, settings.relay.enabled) == (60, 8081, False)
    assert settings.superagent.folder == str(tmp_path / "repository")


def test_policy_overrides_it(tmp_path: Path) -> None:
    given = policies(
        agent={"asciSeconds": 5, "wakeupPort": 8591, "eventPriority": 4, "onlyServerConnections": True},
        relay={"enabled": True, "port": 9083, "discoveryPorts": [9082]},
        superagent={"enabled": True, "repository": True, "folder": "/srv/repository"},
        update={"repositoryMode": "order", "branch": "Previous"},
    )
    settings = resolve(given, agent_config(tmp_path))
    assert (settings.asci_seconds, settings.wakeup_port, settings.event_priority) == (5, 8591, 4)
    assert settings.only_server_connections
    assert settings.relay == RelaySettings(True, 9083, (9082,))
    assert settings.superagent.repository and settings.superagent.folder == "/srv/repository"
    assert (settings.update.mode, settings.update.branch) == ("order", "Previous")


def test_a_repository_without_the_superagent_is_none(tmp_path: Path) -> None:
    settings = resolve(policies(superagent={"enabled": False, "repository": True}), agent_config(tmp_path))
    assert not settings.superagent.repository


def test_an_interval_is_never_shorter_than_a_second(tmp_path: Path) -> None:
    settings = resolve(policies(agent={"asciSeconds": 0, "enforcementSeconds": -1}), agent_config(tmp_path))
    assert (settings.asci_seconds, settings.enforcement_seconds) == (1, 1)


def test_a_policy_that_makes_no_sense_is_named_and_the_others_count(tmp_path: Path) -> None:
    given = policies(relay={"port": "many"}, agent={"asciSeconds": 5})
    settings = resolve(given, agent_config(tmp_path))
    assert settings.asci_seconds == 5 and settings.relay == RelaySettings()
    assert len(settings.problems) == 1 and "category relay" in settings.problems[0]
