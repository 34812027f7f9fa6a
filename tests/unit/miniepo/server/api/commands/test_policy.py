"""Which policies an import refuses before it stores any."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from miniepo.errors import CommandError
from miniepo.protocol.policy_settings import CATEGORIES
from miniepo.server.api.arguments import Call
from miniepo.server.api.commands.policy import TYPES, PolicyCommands


def refusal(*policies: dict[str, Any]) -> str:
    """Why a file of these policies is refused by a server that has no database to store them in."""
    no_database: Any = SimpleNamespace(store=None)
    call = Call("policy.importPolicy", {}, {"file": ("policies.json", json.dumps(policies).encode())})
    with pytest.raises(CommandError) as caught:
        asyncio.run(PolicyCommands(no_database).import_policy(call))
    return str(caught.value)


def test_settings_that_no_agent_can_follow_are_refused_with_the_policys_name_and_the_setting() -> None:
    good = {"name": "Fast", "category": "agent", "settings": {"asciSeconds": 5}}
    bad = {"name": "Far out", "category": "agent", "settings": {"wakeupPort": 99999}}
    said = refusal(good, bad)
    assert said == "the settings of policy 'Far out', category agent: Expected `int` <= 65535 - at `$.wakeupPort`"


def test_a_category_that_there_is_not_is_refused() -> None:
    assert "unknown policy categories firewall" in refusal({"name": "a", "category": "firewall", "settings": {}})


def test_every_category_of_the_server_has_settings_that_agents_know() -> None:
    assert set(TYPES) == set(CATEGORIES)
