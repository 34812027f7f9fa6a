"""Names of the agents of a swarm."""

from pathlib import Path

import msgspec
import pytest

from miniepo.errors import ConfigError
from miniepo.swarm.names import member_configs, member_name, spread_seconds
from tests.unit.miniepo.standins import agent_config


def test_agents_are_numbered_from_one_and_share_everything_else(tmp_path: Path) -> None:
    node = agent_config(tmp_path)
    configs = list(member_configs(node, 3))
    assert [each.computer_name for each in configs] == ["pc-1-0001", "pc-1-0002", "pc-1-0003"]
    assert [each.fqdn for each in configs][:2] == ["pc-1-0001.tokyo.test", "pc-1-0002.tokyo.test"]
    assert {msgspec.structs.replace(each, computer_name="", fqdn="") for each in configs} == {
        msgspec.structs.replace(node, computer_name="", fqdn="")
    }


@pytest.mark.parametrize("count", [0, -1, 20_001])
def test_a_swarm_has_a_number_that_it_can_have(tmp_path: Path, count: int) -> None:
    with pytest.raises(ConfigError, match="1 to 20000 agents"):
        list(member_configs(agent_config(tmp_path), count))


def test_a_name_that_the_product_would_cut_is_refused(tmp_path: Path) -> None:
    assert len(member_name("ten-digits", 4000)) == 15
    long = msgspec.structs.replace(agent_config(tmp_path), computer_name="eleven-long")
    with pytest.raises(ConfigError, match="more than 15 characters"):
        list(member_configs(long, 1))


@pytest.mark.parametrize(
    ("count", "asci", "within"), [(1, 3600.0, 2.0), (50, 3600.0, 2.0), (4000, 60.0, 60.0), (4000, 3600.0, 80.0)]
)
def test_a_crowd_spreads_its_first_calls(count: int, asci: float, within: float) -> None:
    assert spread_seconds(2.0, asci, count) == within
