"""What the settings of a policy may be."""

from typing import Any

import pytest

from miniepo.errors import MessageError
from miniepo.protocol.policy_settings import CATEGORIES, AgentPolicy, RelayPolicy, read


@pytest.mark.parametrize("category", CATEGORIES)
def test_what_is_left_out_has_its_default_and_what_is_not_known_is_passed_over(category: str) -> None:
    kind = CATEGORIES[category]
    assert read(kind, {}) == read(kind, {"inventedLater": 1}) == kind()


def test_settings_are_read_by_their_names_in_a_policy() -> None:
    assert read(AgentPolicy, {"wakeupPort": 0, "asciSeconds": 5}) == AgentPolicy(wakeup_port=0, asci_seconds=5)
    assert read(RelayPolicy, {"discoveryPorts": ["8082", 65535]}).discovery_ports == (8082, 65535)


@pytest.mark.parametrize(
    ("category", "settings", "place"),
    [
        ("agent", {"wakeupPort": 99999}, "wakeupPort"),
        ("agent", {"asciSeconds": "soon"}, "asciSeconds"),
        ("relay", {"port": 0}, "port"),
        ("relay", {"discoveryPorts": [8082, -1]}, r"discoveryPorts\[1\]"),
        ("superagent", {"enabled": []}, "enabled"),
        ("update", {"repositoryMode": "nearest"}, "repositoryMode"),
    ],
)
def test_what_no_agent_can_follow_is_named(category: str, settings: dict[str, Any], place: str) -> None:
    with pytest.raises(MessageError, match=place):
        read(CATEGORIES[category], settings)
