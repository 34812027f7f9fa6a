"""Events are waited for before they are counted, for all agents once."""

from pathlib import Path
from typing import Any, cast

from epolab.hands.until import seconds
from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.events import await_events
from epolab.verify.witness import Witness

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")
AGENTS = facts.agents(TOPOLOGY)
NODE = AGENTS[0]


class Server:
    """A server that gets one more event of an agent each time it is asked for that agent's."""

    topology = TOPOLOGY

    def __init__(self, *texts: str) -> None:
        self._texts = texts
        self.asked: dict[str, int] = {}

    def api(self, command: str, **arguments: str) -> Any:
        assert (command, list(arguments)) == ("miniepo.listEvents", ["name"])
        name = arguments["name"]
        self.asked[name] = self.asked.get(name, 0) + 1
        return [{"text": text} for text in self._texts[: self.asked[name]]]


def test_events_are_counted_once_more_when_all_of_them_are_there() -> None:
    server = cast(Witness, Server("other", "first", "first", "second", "third"))
    found = await_events(server, {NODE.path: ["first", "second"]}, 10.0)[NODE.path]
    assert (found["first"], found["second"], found["third"]) == (2, 1, 1)


def test_what_comes_again_after_it_was_seen_counts_twice() -> None:
    server = cast(Witness, Server("first", "first", "never"))
    assert await_events(server, {NODE.path: ["first"]}, 10.0)[NODE.path]["first"] == 2


def test_what_does_not_come_is_counted_as_none() -> None:
    found = await_events(cast(Witness, Server("first")), {NODE.path: ["first", "second"]}, 0.2)[NODE.path]
    assert (found["first"], found["second"]) == (1, 0)


def test_all_agents_together_are_waited_for_once() -> None:
    server, began = Server("first"), seconds()
    found = await_events(cast(Witness, server), {node.path: ["first", "never"] for node in AGENTS}, 0.2)
    assert seconds() - began < 0.2 * len(AGENTS)
    assert {path: (seen["first"], seen["never"]) for path, seen in found.items()} == {n.path: (1, 0) for n in AGENTS}
    assert set(server.asked) == {node.fqdn for node in AGENTS}


def test_an_agent_whose_events_are_there_is_asked_for_once_more_at_the_end() -> None:
    server = Server("first", "other", "other", "second")
    await_events(cast(Witness, server), {AGENTS[0].path: ["first"], AGENTS[1].path: ["second"]}, 10.0)
    assert server.asked == {AGENTS[0].fqdn: 2, AGENTS[1].fqdn: 5}


def test_nobody_is_asked_for_nothing() -> None:
    server = Server()
    assert await_events(cast(Witness, server), {}, 10.0) == {}
    assert server.asked == {}
