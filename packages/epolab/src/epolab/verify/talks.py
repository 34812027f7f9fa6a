"""One conversation of every agent with its handler, all at the same time: its session, its events, its intervals."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from epolab.errors import WorldError
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.first_call import Start, came_troubles, draw_troubles, starts_of
from epolab.verify.site_list_reading import due_sites, troubles
from epolab.verify.witness import Witness

PROGRAM = resources.files("epolab.verify").joinpath("talk_program.py").read_text()
PLACES = {
    "socket": "/var/lib/miniepo/agent/control.sock",
    "log": "/var/log/miniepo/cmdagent.log",
    "list": "/var/lib/miniepo/agent/SiteList.xml",
    "patience_s": 30.0,
}
AT_ONCE = 16
SESSION = ("PROPS VERSION", "REQUEST PROPS", "INC PROPS", "POLICY")
GRAVEST, LIGHTEST = 0, 7
FIELD_ASCI_SECONDS = 3600.0
LEAST_ENFORCEMENT_SECONDS = 1.0
# what a machine has as long as nobody rebuilds it: it never stands among changed properties
LASTING = frozenset(
    (
        "CPUType",
        "ComputerName",
        "DomainName",
        "IPAddress",
        "IPHostName",
        "NetAddress",
        "NumOfCPU",
        "OSPlatform",
        "OSType",
        "OSVersion",
        "TimeZone",
        "TotalPhysicalMemory",
        "WakeupPort",
    )
)

Broken = list[tuple[str, str]]


@dataclass
class Talks:
    """What the agents (by node path) said, and when the server got their events (by what was said)."""

    text: str = field(default_factory=lambda: f"verdict-{uuid.uuid4().hex}")
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: dict[str, dict[str, float]] = field(default_factory=dict)


def priority_of(topology: Topology, node: Node) -> int:
    """Events of this severity or graver are sent at once, by the policy in force; without one 2."""
    policy = facts.policies_of(topology, node).get("agent")
    severity = policy.settings.get("eventPriority", 2) if policy else 2
    return severity if isinstance(severity, int) else 2


def hold(witness: Witness, topology: Topology, then: Callable[[Node], None] = lambda _: None) -> Talks:
    """Hold all conversations; `then` is done with an agent as soon as its own is over, beside those of the others."""
    talks = Talks()
    nodes = witness.running(facts.agents(topology))
    since = float(witness.api("miniepo.now"))

    def one(node: Node) -> None:
        ordinary = LIGHTEST if priority_of(topology, node) < LIGHTEST else None
        given = {**PLACES, "text": f"{talks.text} {node.path}", "urgent": GRAVEST, "ordinary": ordinary}
        try:
            said = witness.python(node.path, PROGRAM, given)
        except WorldError as error:
            said = {"error": error.message}
        talks.said[node.path] = said
        then(node)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, nodes))
    rows = witness.api("miniepo.listEvents", since=str(since))
    talks.events = arrived(rows, talks.text, [node.path for node in nodes])
    return talks


def arrived(rows: Sequence[Mapping[str, Any]], text: str, paths: Sequence[str]) -> dict[str, dict[str, float]]:
    """When the server got each of these agents' events: by node path, then by what is said after the path."""
    found: dict[str, dict[str, float]] = {path: {} for path in paths}
    for row in rows:
        marker, _, rest = str(row["text"]).partition(" ")
        path, _, what = rest.partition(" ")
        if marker == text and path in found:
            found[path][what] = float(row["received"])
    return found


def list_troubles(topology: Topology, talks: Talks, path: str) -> Broken:
    """What is wrong with an agent's SiteList.xml."""
    node, said = topology.node(path), talks.said[path]
    if said["error"]:
        return [(f"{path}: tells its SiteList.xml", f"{path}: {said['error']}")]
    return troubles(node, said["list"], due_sites(topology, node))


def session_troubles(talks: Talks, path: str) -> Broken:
    """What is wrong with the order of an agent's session."""
    wanted = f"{path}: its session goes {', '.join(SESSION)}"
    said = talks.said[path]
    if said["error"]:
        return [(wanted, f"{path}: {said['error']}")]
    names = [each.partition(" (")[0] for each in said["session"]]
    return [] if tuple(names[:4]) == SESSION else [(wanted, f"{path}: it went {', '.join(names) or 'nowhere'}")]


def property_troubles(talks: Talks, path: str) -> Broken:
    """What properties an agent sent that cannot have changed."""
    wanted = f"{path}: sends changed properties only"
    said = talks.said[path]
    if said["error"]:
        return [(wanted, f"{path}: {said['error']}")]
    sent = names_sent((*said["session"], *said["later"]))
    return [(wanted, f"{path}: it sent {', '.join(sorted(sent & LASTING))} again")] if sent & LASTING else []


def names_sent(session: Sequence[str]) -> frozenset[str]:
    """The properties that the INC PROPS packages of a session carried; all that last for a package of all."""
    found: set[str] = set()
    for package in session:
        name, _, rest = package.partition(" (")
        if name == "INC PROPS":
            found |= {each.strip() for each in rest.removesuffix(")").split(",")}
        if name == "PROPS":
            found |= LASTING
    return frozenset(found)


def event_troubles(topology: Topology, talks: Talks, path: str) -> Broken:
    """What is wrong with how an agent delivered an ordinary event and one of priority."""
    said, events = talks.said[path], talks.events.get(path, {})
    alone = f"{path}: an event of priority is sent at once, without properties and without ordinary events"
    if said["error"]:
        return [(alone, f"{path}: {said['error']}")]
    ordinary = priority_of(topology, topology.node(path)) < LIGHTEST
    broken = []
    if said["upload"] != ["EVENTS (1)", "EVENTS ACCEPTED (1)"] or said["kept"] != int(ordinary):
        broken.append((alone, f"{path}: it said {', '.join(said['upload'])}, and kept {said['kept']} events"))
    if said["left"]:
        broken.append((f"{path}: ordinary events go with the next call-in", f"{path}: it kept {said['left']}"))
    urgent, later = (events.get(f"{kind} {said['attempt']}") for kind in ("urgent", "ordinary"))
    if urgent is None or (ordinary and later is None):
        missing = "that of priority" if urgent is None else "the ordinary one"
        broken.append((f"{path}: the server has both events", f"{path}: it has not {missing}"))
    elif later is not None and later <= urgent:
        broken.append((f"{path}: the event of priority arrives first", f"{path}: the ordinary one did"))
    return broken


def interval_troubles(topology: Topology, talks: Talks, path: str) -> Broken:
    """What is wrong with an agent's first call and its enforcement, which follow its version where no policy rules."""
    node, said = topology.node(path), talks.said[path]
    if said["error"]:
        return [(f"{path}: tells its intervals", f"{path}: {said['error']}")]
    policy = facts.policies_of(topology, node).get("agent")
    given = policy.settings.get("enforcementSeconds") if policy else None
    enforcement = float(given) if isinstance(given, int) else due_enforcement(node)
    broken = []
    if abs(said["enforcement_seconds"] - enforcement) > 0.01:
        told = f"{path}: every {said['enforcement_seconds']:g} s"
        broken.append((f"{path}: enforces its policies every {enforcement:g} s, by its version {node.version}", told))
    window = due_window(node)
    wanted = f"{path}: calls in first within {window:.3f} s of its start, by its version {node.version}"
    starts = starts_of(said["starts"])
    if not starts:
        return [*broken, (wanted, f"{path}: its log says nothing of it")]
    last = starts[-1]
    if last.drawn > last.window or abs(last.window - window) > 0.001:
        broken.append((wanted, f"{path}: it drew {last.drawn:.3f} s from the first {last.window:.3f} s"))
    return broken + came_troubles(path, last, said["came"]) + draw_troubles(path, starts, last_starts(talks))


def last_starts(talks: Talks) -> list[Start]:
    """The last start of each agent whose log tells of one."""
    found = [starts_of(said.get("starts", ())) for said in talks.said.values()]
    return [starts[-1] for starts in found if starts]


def due_window(node: Node) -> float:
    """The window of the first call: 10 minutes before 4.8, 6 seconds in 4.8, 45 seconds in 5.x, as fast as the lab."""
    number = version_of(node)
    field_seconds = 45.0 if number >= (5,) else 6.0 if number >= (4, 8) else 600.0
    return field_seconds * min(1.0, node.asci_seconds / FIELD_ASCI_SECONDS)


def due_enforcement(node: Node) -> float:
    """The interval of enforcement: 5 minutes in 4.x, an hour in 5.x, as fast as the lab, but a second at least."""
    field_seconds = 3600.0 if version_of(node) >= (5,) else 300.0
    return max(LEAST_ENFORCEMENT_SECONDS, field_seconds * min(1.0, node.asci_seconds / FIELD_ASCI_SECONDS))


def version_of(node: Node) -> tuple[int, ...]:
    """A node's agent version as numbers."""
    return tuple(int(part) for part in node.version.split("."))
