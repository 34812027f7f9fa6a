"""What policies amount to."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from miniepo.agent.settings import RelaySettings, first_call_seconds, resolve
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


@pytest.mark.parametrize(("version", "discover"), [("4.6.0", "never"), ("4.8.0", "always"), ("5.7.0", "always")])
def test_only_agents_since_4_8_look_for_relays(tmp_path: Path, version: str, discover: str) -> None:
    config = msgspec.structs.replace(agent_config(tmp_path), version=version)
    assert resolve(policies(relay={"discover": "always"}), config).relay.discover == discover
    assert (resolve(policies(), config).relay.discover == "never") is (version == "4.6.0")


def test_a_repository_without_the_superagent_is_none(tmp_path: Path) -> None:
    settings = resolve(policies(superagent={"enabled": False, "repository": True}), agent_config(tmp_path))
    assert not settings.superagent.repository


def test_an_interval_is_never_shorter_than_a_second(tmp_path: Path) -> None:
    settings = resolve(policies(agent={"asciSeconds": 0, "enforcementSeconds": -1}), agent_config(tmp_path))
    assert (settings.asci_seconds, settings.enforcement_seconds) == (1, 1)


@pytest.mark.parametrize(("version", "asci", "first"), [("4.0.0", 3600, 600), ("4.8.0", 60, 0.1), ("5.8.1", 60, 0.75)])
def test_the_first_call_comes_by_the_version_as_fast_as_the_lab_is(
    tmp_path: Path, version: str, asci: float, first: float
) -> None:
    config = msgspec.structs.replace(agent_config(tmp_path), version=version, asci_seconds=asci)
    assert first_call_seconds(config) == pytest.approx(first)
    assert first_call_seconds(msgspec.structs.replace(config, first_call_within_seconds=2.5)) == 2.5


@pytest.mark.parametrize(("version", "asci", "every"), [("4.8.0", 60, 5), ("5.8.1", 60, 60), ("4.8.0", 5, 1)])
def test_enforcement_follows_policy_then_the_configuration_then_the_version(
    tmp_path: Path, version: str, asci: float, every: float
) -> None:
    config = msgspec.structs.replace(agent_config(tmp_path), version=version, asci_seconds=asci)
    own = msgspec.structs.replace(config, enforcement_seconds=77)
    assert resolve(policies(agent={"asciSeconds": 9}), config).enforcement_seconds == every
    assert resolve(policies(), own).enforcement_seconds == 77
    assert resolve(policies(agent={"enforcementSeconds": 8}), own).enforcement_seconds == 8


@pytest.mark.parametrize(
    ("version", "wanted", "each"), [("4.8.0", True, True), ("4.8.0", False, False), ("5.0", True, False)]
)
def test_only_an_agent_before_5_x_may_connect_for_each_package(
    tmp_path: Path, version: str, wanted: bool, each: bool
) -> None:
    config = msgspec.structs.replace(agent_config(tmp_path), version=version, connection_per_package=wanted)
    assert resolve(policies(), config).connection_per_package is each


def test_a_policy_spreads_the_uploads_of_priority_events(tmp_path: Path) -> None:
    given = policies(agent={"eventIntervalSeconds": 3, "eventsPerUpload": 0})
    settings = resolve(given, agent_config(tmp_path))
    assert (settings.event_interval_seconds, settings.events_per_upload) == (3, 1)


def test_a_policy_that_makes_no_sense_is_named_and_the_others_count(tmp_path: Path) -> None:
    given = policies(relay={"port": "many"}, agent={"asciSeconds": 5})
    settings = resolve(given, agent_config(tmp_path))
    assert settings.asci_seconds == 5 and settings.relay == RelaySettings()
    assert len(settings.problems) == 1 and "category relay" in settings.problems[0]


@pytest.mark.parametrize(
    ("category", "given"),
    [
        *(("agent", {"wakeupPort": port}) for port in (-1, 65536, 99999)),
        *(("relay", {"port": port}) for port in (-1, 0, 65536)),
        *(("relay", {"discoveryPorts": [8082, port]}) for port in (0, 65536)),
    ],
)
def test_a_port_that_is_none_is_a_problem_of_its_policy(tmp_path: Path, category: str, given: dict[str, Any]) -> None:
    settings = resolve(policies(**{category: given, "update": {"branch": "Previous"}}), agent_config(tmp_path))
    assert (settings.wakeup_port, settings.relay, settings.update.branch) == (8081, RelaySettings(), "Previous")
    assert len(settings.problems) == 1 and f"category {category}: Expected `int`" in settings.problems[0]


def test_the_wakeup_port_may_be_closed_and_the_last_one_counts(tmp_path: Path) -> None:
    for port in (0, 65535):
        assert resolve(policies(agent={"wakeupPort": port}), agent_config(tmp_path)).wakeup_port == port


def test_no_upload_takes_more_events_than_a_spool_holds(tmp_path: Path) -> None:
    assert resolve(policies(agent={"eventsPerUpload": 2**64}), agent_config(tmp_path)).events_per_upload == 10_000


@pytest.mark.parametrize(
    ("version", "relay", "expected"),
    [
        ("4.8.0", {"port": 9083}, (9083, False)),
        ("5.6.0", {"port": 9083}, (8591, True)),
        ("5.6.0", {"port": 9083, "ownPort": True}, (9083, False)),
    ],
)
def test_a_relay_of_5_takes_connections_on_its_wakeup_port(
    tmp_path: Path, version: str, relay: dict[str, Any], expected: tuple[int, bool]
) -> None:
    config = msgspec.structs.replace(agent_config(tmp_path), version=version)
    found = resolve(policies(agent={"wakeupPort": 8591}, relay={"enabled": True, **relay}), config).relay
    assert (found.port, found.shared) == expected
    closed = resolve(policies(agent={"wakeupPort": 0}, relay={"enabled": True, **relay}), config).relay
    assert (closed.port, closed.shared) == (9083, False)
