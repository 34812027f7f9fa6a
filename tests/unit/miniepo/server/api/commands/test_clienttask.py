"""Which client tasks clienttask.importClientTask refuses before it has saved any."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from miniepo.errors import CommandError
from miniepo.protocol.task_settings import KINDS
from miniepo.server.api.arguments import Call
from miniepo.server.api.commands.clienttask import TYPES, ClientTaskCommands
from miniepo.server.services import Services

GOOD = {"name": "Good", "type": "update", "settings": {"products": ["VSCANDAT1000"]}}


class Saved(Exception):
    """The tasks have passed."""


class Tasks:
    """A store that tells when it is asked."""

    async def by_name(self, name: str) -> None:
        raise Saved(name)


def imported(*tasks: dict[str, Any]) -> None:
    services = cast(Services, SimpleNamespace(store=SimpleNamespace(tasks=Tasks()), run_now=None))
    call = Call("clienttask.importClientTask", {}, {"importfilename": ("tasks.json", json.dumps(tasks).encode())})
    asyncio.run(ClientTaskCommands(services).import_tasks(call))


def test_every_type_has_its_settings() -> None:
    assert KINDS.keys() == TYPES.keys()


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"type": "deploy"}, "unknown task types deploy; there are update, scan"),
        (
            {"type": "update", "settings": {"products": 5}},
            "Wrong: .*Expected `array | null`, got `int` - at `.+products`",
        ),
        ({"type": "scan", "settings": {"seconds": "long"}}, "Wrong: .*Expected `float`, got `str` - at `.+seconds`"),
        ({"type": "scan", "settings": 5}, "no list of client tasks"),
    ],
)
def test_a_task_that_no_agent_could_run_is_refused_and_no_other_is_saved(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        imported(GOOD, {"name": "Wrong"} | wrong)


def test_what_agents_can_run_is_saved() -> None:
    with pytest.raises(Saved, match="Good"):
        imported(GOOD, {"name": "Scan", "type": "scan", "settings": {"folder": "/srv", "seconds": 1.5}})
