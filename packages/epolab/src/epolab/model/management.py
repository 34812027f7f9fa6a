"""What the server is told to manage: groups, policies, assignments, tasks, handler rules and repositories."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ROOT_GROUP = "My Organization"

Category = Literal["agent", "superagent", "relay", "update"]


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the System Tree; `path` is under My Organization with `/` between levels, systems are node paths."""

    path: str
    systems: tuple[str, ...]

    @property
    def tree_path(self) -> str:
        """The path as the server writes it, such as `My Organization\\tokyo\\2_Relays`."""
        return "\\".join([ROOT_GROUP, *(part for part in self.path.split("/") if part)])


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy object of one category; the settings are JSON values under the category's keys."""

    name: str
    category: Category
    settings: Mapping[str, object] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A policy given to a group (`""` is My Organization) or to one system (a node path)."""

    policy: str
    group: str | None
    system: str | None


@dataclass(frozen=True, slots=True)
class Task:
    """A client task that the agents of a group (`""` is My Organization) run again and again."""

    name: str
    type: Literal["update"]
    every_seconds: float
    group: str


@dataclass(frozen=True, slots=True)
class HandlerGroup:
    """Handlers (node paths) under one name, in order; with `spread` agents draw among them instead."""

    name: str
    handlers: tuple[str, ...]
    spread: bool


@dataclass(frozen=True, slots=True)
class HandlerRule:
    """Which handlers agents of a group and of subnets use; neither one is the default rule.

    `use` holds node paths and names of handler groups in priority order; empty: all handlers, among which agents draw.
    """

    name: str
    group: str | None
    subnets: tuple[str, ...]
    use: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repository:
    """A distributed repository: the node that holds it, its name in site lists and its type."""

    name: str
    node: str
    type: Literal["superagent"]


@dataclass(frozen=True, slots=True)
class Management:
    """Everything the server manages, shorthand expanded; handler rules are in order, the default rule last."""

    groups: tuple[Group, ...] = ()
    policies: tuple[Policy, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    tasks: tuple[Task, ...] = ()
    handlers: tuple[HandlerRule, ...] = ()
    repositories: tuple[Repository, ...] = ()
    handler_groups: tuple[HandlerGroup, ...] = ()
