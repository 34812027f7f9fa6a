"""The settings of policies by category: their keys, what each may be, and their defaults."""

# ruff: noqa: RUF009 (the calls describe keys; what they return is frozen)

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, cast

from epolab.model import ports
from epolab.model.management import Category
from epolab.topology import words
from epolab.topology.compounds import Many, Record, key
from epolab.topology.report import Located, Path, Report, did_you_mean
from epolab.topology.specs import Choice, Flag, Schema, Spec, Text, Whole, refuse_type
from epolab.yaml_file import Mapping, Place, Value

_PORT = Whole(
    ports.LEAST_AGENT_PORT,
    65535,
    "bad-port",
    f"an agent's processes are not root's, and listen on {ports.LEAST_AGENT_PORT} or above",
)

CATEGORIES: dict[Category, dict[str, tuple[Spec[Any], object, str]]] = {
    "agent": {
        "asciSeconds": (Whole(1, 86_400), 10, "agent-server communication interval; by default the lab's `asci`"),
        "enforcementSeconds": (
            Whole(1, 86_400),
            None,
            "interval of local policy enforcement; 5 minutes in 4.x, an hour in 5.x, shorter as the ASCI is",
        ),
        "wakeupPort": (_PORT, ports.AGENT_WAKEUP, "port of wake-up calls and the log page"),
        "eventPriority": (Whole(0, 7), 3, "events of this severity or graver are sent at once"),
        "eventIntervalSeconds": (Whole(0, 86_400), 0, "so long at least between two such uploads"),
        "eventsPerUpload": (Whole(1, 10_000), 1000, "so many events at most in one of them"),
        "onlyServerConnections": (Flag(), True, "accept connections from handlers only"),
        "acceptBroadcasts": (Flag(), True, "call in after a SuperAgent's broadcast"),
    },
    "superagent": {
        "enabled": (Flag(), False, "turn the agent into a SuperAgent"),
        "repository": (Flag(), False, "keep a distributed repository"),
        "folder": (Text("folder", r"/[^\0]*", "an absolute path"), "/var/lib/miniepo/repository", "where it is kept"),
    },
    "relay": {
        "enabled": (Flag(), False, "turn the agent into a relay"),
        "port": (_PORT, ports.RELAY, "port that the relay serves"),
        "discoveryPorts": (Many(_PORT, minimum=1), list(ports.RELAY_DISCOVERY), "ports of the discovery broadcast"),
        "answerWithinMs": (Whole(0, 500), 100, "a relay answers a discovery within so many milliseconds, 0: at once"),
        "ownPort": (Flag(), False, "a relay of 5.x listens on `port` too, not on its wake-up port"),
        "discover": (Choice("mode", ("needed", "always", "never")), "needed", "when an agent looks for relays"),
    },
    "update": {
        "repositoryMode": (Choice("mode", ("subnet", "ping", "order")), "subnet", "how a repository is chosen"),
        "branch": (Choice("branch", ("Current", "Previous", "Evaluation")), "Current", "branch that updates come from"),
    },
}

SUPPORTED = {
    "folder": (r"/var/lib/miniepo/repository(/(?!\.\.?(/|$))[^/]+)*/?", "use /var/lib/miniepo/repository, or below it"),
    "repositoryMode": ("subnet", "use `subnet`, the default: the SuperAgent of the segment, then the handlers"),
    "branch": ("Current", "use `Current`, the default"),
    "discoveryPorts": (
        f"{ports.BROADCAST}|{ports.OLD_DISCOVERY}",
        f"agents of 5.x ask on {ports.BROADCAST}, older ones on {ports.OLD_DISCOVERY}, and none on another port",
    ),
}
"""Settings of which only some values are supported yet: a pattern of those, and what to write instead of others."""


def defaults(category: Category) -> dict[str, object]:
    """The settings of a category where a policy says nothing; what depends on the agent's version is not among them."""
    return {name: default for name, (_, default, _) in CATEGORIES[category].items() if default is not None}


@dataclass(frozen=True)
class Settings:
    """The settings of a policy as they stand; they are read when the category is known."""

    def decode(self, value: Value, path: Path, report: Report) -> Located[Mapping] | None:
        if isinstance(value, Mapping):
            return Located(value, value.place)
        refuse_type(value, "a mapping", path, report)
        return None

    def schema(self) -> Schema:
        return {"type": "object"}

    def describe(self) -> str:
        return "mapping; the keys of each category are listed under Policy settings"


@dataclass(frozen=True)
class PolicyKeys:
    """A policy object as it is written."""

    name: Located[str] | None = key(words.TITLE, "Name of the policy", required=True)
    category: Located[str] | None = key(Choice("category", tuple(CATEGORIES)), "What the policy governs", required=True)
    settings: Located[Mapping] | None = key(Settings(), "What is left out has its default")


@dataclass(frozen=True)
class PolicyFile:
    """A policy object whose settings were read; `places` is where each one's value stands."""

    name: Located[str] | None
    category: Located[Category] | None
    settings: dict[str, object]
    places: dict[str, Place] = field(default_factory=dict)


@dataclass(frozen=True)
class PolicySpec:
    """A policy: its settings are read by the rules of its category."""

    keys: Record[PolicyKeys] = Record(PolicyKeys, "a policy")

    def decode(self, value: Value, path: Path, report: Report) -> Located[PolicyFile] | None:
        written = self.keys.decode(value, path, report)
        if written is None:
            return None
        category = cast(Located[Category] | None, written.value.category)
        settings: dict[str, object] = {}
        places: dict[str, Place] = {}
        if category is not None and written.value.settings is not None:
            given = written.value.settings.value
            settings = read_settings(category.value, given, (*path, "settings"), report)
            places = {name.text: item.place for name, item in given.entries}
        return Located(PolicyFile(written.value.name, category, settings, places), written.place)

    def schema(self) -> Schema:
        return {**self.keys.schema(), "allOf": [_settings_schema(category) for category in CATEGORIES]}

    def describe(self) -> str:
        return "a policy"


def _settings_schema(category: Category) -> Schema:
    properties = {
        name: {**spec.schema(), "description": text} for name, (spec, _, text) in CATEGORIES[category].items()
    }
    return {
        "if": {"properties": {"category": {"const": category}}},
        "then": {"properties": {"settings": {"properties": properties, "additionalProperties": False}}},
    }


def read_settings(category: Category, value: Mapping, path: Path, report: Report) -> dict[str, object]:
    """The settings of one policy, checked against its category."""
    known = CATEGORIES[category]
    found: dict[str, object] = {}
    for name, item in value.entries:
        if name.text not in known:
            message = f'"{name.text}" is not a setting of category {category}{did_you_mean(name.text, known)}'
            report.error(name.place, "unknown-setting", message, f"settings: {', '.join(known)}", spoils=path)
            continue
        decoded = known[name.text][0].decode(item, (*path, name.text), report)
        if decoded is not None:
            found[name.text] = _plain(decoded.value)
            _refuse_unsupported(name.text, decoded, report)
    return found


def _refuse_unsupported(name: str, decoded: Located[Any], report: Report) -> None:
    pattern, instead = SUPPORTED.get(name, (r"(?s).*", ""))
    for item in decoded.value if isinstance(decoded.value, tuple) else (decoded,):
        if not re.fullmatch(pattern, str(item.value)):
            message = f'the {name} "{item.value}" is not supported yet'
            report.error(item.place, "setting-not-supported", message, instead)


def _plain(value: object) -> object:
    """A value as JSON has it; what stands in a list twice is there once."""
    if isinstance(value, tuple):
        return list(dict.fromkeys(_plain(item.value) for item in value))
    return value
