"""Turning relay on and off through the supervisor's control pipe."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from miniepo.agent.relay_role import RelayRole, ServiceSwitch, node_life
from miniepo.agent.roles import Refusal
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


def role(tmp_path: Path, life: str = "boot-1", version: str = "4.8.0", platform: str = "Linux") -> RelayRole:
    config = msgspec.structs.replace(agent_config(tmp_path), version=version, platform=platform)
    return RelayRole(config, state_directory(tmp_path), ServiceSwitch(Path(config.relay_control)), lambda: life)


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
    assert relay.enforce(OTHER_PORT) == () and orders(pipe) == b"t"
    assert relay.enforce(OFF) == () and orders(pipe) == b"d"
    assert not (tmp_path / "state/relay.json").exists()
    assert relay.properties() == {"Relay.Enabled": "0"} and not relay.active
    assert relay.enforce(ON) == () and orders(pipe) == b"u", "on again after it was off"


def test_who_stops_the_service_has_it_stopped(tmp_path: Path, pipe: int) -> None:
    relay = role(tmp_path)
    relay.enforce(ON)
    orders(pipe)
    assert relay.enforce(ON) == () and orders(pipe) == b"" and relay.active
    assert role(tmp_path).enforce(ON) == () and orders(pipe) == b"", "a restarted agent leaves it as it is, too"


def test_a_restarted_node_has_its_relay_again(tmp_path: Path, pipe: int) -> None:
    role(tmp_path).enforce(ON)
    orders(pipe)
    assert role(tmp_path, life="boot-2").enforce(ON) == () and orders(pipe) == b"u"


@pytest.mark.parametrize(
    ("version", "platform"), [("4.6.0", "Linux"), ("4.7.9", "Linux"), ("4.8.0", "AIX"), ("5.6.1", "aix")]
)
def test_an_agent_that_cannot_be_a_relay_refuses(tmp_path: Path, pipe: int, version: str, platform: str) -> None:
    relay = role(tmp_path, version=version, platform=platform)
    (problem,) = relay.enforce(ON)
    assert isinstance(problem, Refusal)
    assert f"an agent of version {version} on {platform} cannot be a relay" in problem
    assert orders(pipe) == b"" and not relay.active and not (tmp_path / "state/relay.json").exists()
    assert relay.properties() == {"Relay.Enabled": "0"}


def test_a_relay_that_becomes_an_agent_which_cannot_is_turned_off(tmp_path: Path, pipe: int) -> None:
    role(tmp_path).enforce(ON)
    orders(pipe)
    assert len(role(tmp_path, version="4.6.0").enforce(ON)) == 1 and orders(pipe) == b"d"


def test_lives_of_a_node_differ_by_boot_and_by_the_start_of_its_init(tmp_path: Path) -> None:
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    (tmp_path / "1").mkdir()
    lives = []
    for boot, began in (("b1", 100), ("b1", 101), ("b2", 101)):
        (tmp_path / "sys/kernel/random/boot_id").write_text(f"{boot}\n")
        (tmp_path / "1/stat").write_text(f"1 (sh (x) y) S {' '.join('0' * 18)} {began} 0 0\n")
        lives.append(node_life(tmp_path))
    assert lives == ["b1 100", "b1 101", "b2 101"]
    assert node_life() == node_life()


def test_a_restarted_agent_that_lost_the_policy_stops_it(tmp_path: Path, pipe: int) -> None:
    role(tmp_path).enforce(ON)
    orders(pipe)
    assert role(tmp_path).enforce(OFF) == () and orders(pipe) == b"d"


def test_without_a_supervisor_the_policy_is_not_in_force(tmp_path: Path) -> None:
    relay = role(tmp_path)
    problems = relay.enforce(ON)
    assert len(problems) == 1 and "cmamesh" in problems[0] and "No such file" in problems[0]
    assert not relay.active
