"""Events are waited for before they are counted."""

from pathlib import Path
from typing import Any, cast

from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.events import await_events
from epolab.verify.witness import Witness

NODE = facts.agents(load_topology(Path(__file__).parents[4] / "topologies" / "minimal.yaml"))[0]


class Server:
    """A server that gets one more event each time it is asked."""

    def __init__(self, *texts: str) -> None:
        self._texts, self._asked = texts, 0

    def api(self, command: str, **arguments: str) -> Any:
        assert (command, arguments) == ("miniepo.listEvents", {"name": NODE.fqdn})
        self._asked += 1
        return [{"text": text} for text in self._texts[: self._asked]]


def test_events_are_counted_when_all_of_them_are_there() -> None:
    found = await_events(cast(Witness, Server("other", "first", "first", "second", "third")), NODE, ["first", "second"])
    assert (found["first"], found["second"], found["third"]) == (2, 1, 0)


def test_what_does_not_come_is_counted_as_none() -> None:
    found = await_events(cast(Witness, Server("first")), NODE, ["first", "second"], limit=0.2)
    assert (found["first"], found["second"]) == (1, 0)
