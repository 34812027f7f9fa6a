"""Turning relay on and off through the supervisor's control pipe."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from miniepo.agent.relay_role import RelayRole, ServiceSwitch
from miniepo.agent.settings import RelaySettings, Settings
from miniepo.config import RelayConfig
from tests.unit.miniepo.standins import agent_config, state_directory

ON = Settings(60, 8081, relay=RelaySettings(True, 8083))
OTHER_PORT = Settings(60, 8081, relay=RelaySettings(True, 9083))
OFF = Settings(60, 8081)


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[int]:
    """The reading end of a supervisor's control pipe."""
    supervise = tmp_path / "sv/cmamesh/supervise"
    supervise.mkdir(parents=True)
    os.mkfifo(supervise / "control")
    reading = os.open(supervise / "control", os.O_RDONLY | os.O_NONBLOCK)
    yield reading
    os.close(reading)


def role(tmp_path: Path) -> RelayRole:
    config = agent_config(tmp_path)
    return RelayRole(config, state_directory(tmp_path), ServiceSwitch(Path(config.relay_control)))


def orders(pipe: int) -> bytes:
    try:
        return os.read(pipe, 100)
    except BlockingIOError:
        return b""


def test_policy_starts_restarts_and_stops_the_service(tmp_path: Path, pipe: int) -> None:
    relay = role(tmp_path)
    assert relay.enforce(OFF) == () and orders(pipe) == b""
    assert relay.enforce(ON) == () and orders(pipe) == b"u"
    config = msgspec.json.decode((tmp_path / "state/relay.json").read_bytes(), type=RelayConfig)
    assert (config.port, config.computer_name, config.guid) == (8083, "pc-1", "GUID-1")
    assert config.sitelist == str(tmp_path / "SiteList.xml")
    assert relay.properties() == {"Relay.Enabled": "1", "Relay.Port": "8083"}
    assert relay.enforce(ON) == () and orders(pipe) == b"u", "up again if somebody put it down; a running one stays"
    assert relay.enforce(OTHER_PORT) == () and orders(pipe) == b"ut"
    assert relay.enforce(OFF) == () and orders(pipe) == b"d"
    assert not (tmp_path / "state/relay.json").exists()
    assert relay.properties() == {"Relay.Enabled": "0"} and not relay.active


def test_a_restarted_agent_that_lost_the_policy_stops_it(tmp_path: Path, pipe: int) -> None:
    role(tmp_path).enforce(ON)
    orders(pipe)
    assert role(tmp_path).enforce(OFF) == () and orders(pipe) == b"d"


def test_without_a_supervisor_the_policy_is_not_in_force(tmp_path: Path) -> None:
    relay = role(tmp_path)
    problems = relay.enforce(ON)
    assert len(problems) == 1 and "cmamesh" in problems[0] and "No such file" in problems[0]
    assert not relay.active
