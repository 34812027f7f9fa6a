"""The labs that there are, found by the labels of their containers and by their folders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from epolab.hands.docker import Docker
from epolab.hands.files import LabFolder
from epolab.provider import labels

FABRIC = "fabric"


@dataclass(frozen=True, slots=True)
class Member:
    """One container of a lab; `path` is None for the fabric."""

    name: str
    identity: str
    path: str | None
    kind: str
    components: tuple[str, ...]
    running: bool


@dataclass(frozen=True, slots=True)
class LabRecord:
    """One lab as its labels tell it."""

    name: str
    owner: str
    created: str | None
    expires: str | None
    topology: str | None
    members: tuple[Member, ...]

    @property
    def nodes(self) -> tuple[Member, ...]:
        """The containers of its nodes."""
        return tuple(member for member in self.members if member.path is not None)

    @property
    def fabric(self) -> Member | None:
        """The container of its fabric, if there is one."""
        return next((member for member in self.members if member.path is None), None)

    def node(self, path: str) -> Member | None:
        """The container of a node, if there is one."""
        return next((member for member in self.members if member.path == path), None)


def _member(container: Mapping[str, Any]) -> Member:
    marks = container["Labels"]
    components = marks.get(labels.COMPONENTS, "")
    return Member(
        name=container["Names"][0].lstrip("/"),
        identity=container["Id"],
        path=marks.get(labels.NODE),
        kind=marks.get(labels.KIND, "container"),
        components=tuple(components.split(",")) if components else (),
        running=container["State"] == "running",
    )


def _record(name: str, containers: list[dict[str, Any]]) -> LabRecord:
    def first(key: str) -> str | None:
        return next((c["Labels"][key] for c in containers if c["Labels"].get(key)), None)

    expires = first(labels.EXPIRES)
    return LabRecord(
        name=name,
        owner=first(labels.OWNER) or "",
        created=first(labels.CREATED),
        expires=None if expires in (None, labels.NEVER) else expires,
        topology=first(labels.TOPOLOGY),
        members=tuple(sorted((_member(c) for c in containers), key=lambda m: m.path or "")),
    )


def find_labs(docker: Docker) -> dict[str, LabRecord]:
    """All labs of this engine that have a container, by name."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for container in docker.containers(labels.LAB):
        grouped.setdefault(container["Labels"][labels.LAB], []).append(container)
    return {name: _record(name, containers) for name, containers in sorted(grouped.items())}


def find_lab(docker: Docker, name: str) -> LabRecord | None:
    """One lab, if it has a container."""
    containers = docker.containers(f"{labels.LAB}={name}")
    return _record(name, containers) if containers else None


def own_labs(docker: Docker, owner: str) -> dict[str, LabRecord]:
    """The labs of one owner, those that are nothing but a folder yet among them."""
    found = find_labs(docker)
    own = {name: record for name, record in found.items() if record.owner == owner}
    for folder in LabFolder.all():
        if folder.name not in found:
            own[folder.name] = LabRecord(folder.name, owner, None, None, None, ())
    return own
