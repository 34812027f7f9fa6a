"""The one adapter between Pulumi's provider protocol and the lab's resources.

Blocking work runs in threads, so that as many resources are worked on at once as the engine asks for.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any, Protocol, TypeVar

from pulumi.provider.experimental import provider as wire
from pulumi.provider.experimental.property_value import Computed, PropertyValue
from pulumi.provider.experimental.server import main as serve

from epolab.provider import fabric, link, node
from epolab.provider.world import World

Props = dict[str, Any]
T = TypeVar("T")
AT_A_TIME = 64
VERSION = version("epolab")


class Resource(Protocol):
    """What each resource module offers: props in, props out."""

    @property
    def REPLACING(self) -> tuple[str, ...]: ...
    @property
    def UPDATING(self) -> tuple[str, ...]: ...
    @property
    def KEPT(self) -> tuple[str, ...]: ...

    def check(self, props: Props, /) -> list[tuple[str, str]]: ...
    def create(self, world: World, props: Props, /) -> tuple[str, Props]: ...
    def read(self, world: World, state: Props, /) -> Props | None: ...
    def update(self, world: World, olds: Props, news: Props, /) -> Props: ...
    def delete(self, world: World, props: Props, /) -> None: ...
    def is_drifted(self, state: Props, /) -> bool: ...


RESOURCES: Mapping[str, Resource] = {
    "epolab:index:Fabric": fabric,
    "epolab:index:Node": node,
    "epolab:index:Link": link,
}
UNKNOWN = object()


def resource_of(urn: str) -> Resource:
    """The resource that a URN is about; its type has the types of its parents in front."""
    return RESOURCES[urn.split("::")[-2].rpartition("$")[2]]


def to_plain(value: PropertyValue) -> Any:
    """A property as a JSON value; whole numbers become integers, what is not known yet becomes UNKNOWN."""
    content = value.value
    if isinstance(content, Computed):
        return UNKNOWN
    if isinstance(content, Mapping):
        return {key: to_plain(item) for key, item in content.items()}
    if isinstance(content, tuple):
        return [to_plain(item) for item in content]
    if isinstance(content, float) and content.is_integer():
        return int(content)
    return content


def from_plain(value: Any) -> PropertyValue:
    """A JSON value as a property."""
    if value is UNKNOWN:
        return PropertyValue(Computed())
    if isinstance(value, Mapping):
        return PropertyValue({str(key): from_plain(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return PropertyValue([from_plain(item) for item in value])
    if isinstance(value, int) and not isinstance(value, bool):
        return PropertyValue(float(value))
    return PropertyValue(value)


def plain_map(values: Mapping[str, PropertyValue]) -> Props:
    """Properties as JSON values; those that are null are left out."""
    plain = {key: to_plain(value) for key, value in values.items()}
    return {key: value for key, value in plain.items() if value is not None and not key.startswith("__")}


def property_map(props: Mapping[str, Any]) -> dict[str, PropertyValue]:
    """JSON values as properties."""
    return {key: from_plain(value) for key, value in props.items()}


def kept_inputs(resource: Resource, olds: Props, news: Props) -> Props:
    """The new inputs, but for those that a thing keeps from its creation."""
    return news | {key: olds[key] for key in resource.KEPT if key in olds}


def difference(resource: Resource, state: Props, news: Props) -> wire.DiffResponse:
    """What must be made anew, what can be changed in place, and whether the thing has drifted."""
    replaces = [key for key in resource.REPLACING if state.get(key) != news.get(key)]
    updates = [key for key in resource.UPDATING if state.get(key) != news.get(key)]
    changes = bool(replaces or updates or resource.is_drifted(state))
    return wire.DiffResponse(changes=changes, replaces=replaces, diffs=replaces + updates, delete_before_replace=True)


class EpolabProvider(wire.Provider):
    """Serves the lab's resources to the engine."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._threads = ThreadPoolExecutor(max_workers=AT_A_TIME)

    async def _work(self, task: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, task, *args)

    async def get_schema(self, request: wire.GetSchemaRequest) -> wire.GetSchemaResponse:
        """The package's name and its resources; programs declare them by token, so their properties are open."""
        resources: Props = {token: {"properties": {}, "inputProperties": {}} for token in RESOURCES}
        schema = {"name": "epolab", "version": VERSION, "resources": resources}
        return wire.GetSchemaResponse(schema=json.dumps(schema))

    async def check(self, request: wire.CheckRequest) -> wire.CheckResponse:
        """Refuse what cannot be made; keep what a thing keeps from its creation."""
        resource = resource_of(request.urn)
        news = kept_inputs(resource, plain_map(request.old_inputs), plain_map(request.new_inputs))
        failures = [wire.CheckFailure(key, reason) for key, reason in resource.check(news)]
        return wire.CheckResponse(inputs=property_map(news), failures=failures)

    async def diff(self, request: wire.DiffRequest) -> wire.DiffResponse:
        """Compare what is with what shall be."""
        return difference(resource_of(request.urn), plain_map(request.old_state), plain_map(request.new_inputs))

    async def create(self, request: wire.CreateRequest) -> wire.CreateResponse:
        """Make it; if that fails nothing of it is there."""
        props = plain_map(request.properties)
        if request.preview:
            return wire.CreateResponse(properties=property_map(props))
        identity, outputs = await self._work(resource_of(request.urn).create, self._world, props)
        return wire.CreateResponse(resource_id=identity, properties=property_map(outputs))

    async def read(self, request: wire.ReadRequest) -> wire.ReadResponse:
        """Ask the world what is there."""
        state = plain_map(request.properties)
        found = await self._work(resource_of(request.urn).read, self._world, state)
        if found is None:
            return wire.ReadResponse(resource_id="")
        return wire.ReadResponse(resource_id=request.resource_id, properties=property_map(found), inputs=request.inputs)

    async def update(self, request: wire.UpdateRequest) -> wire.UpdateResponse:
        """Change it in place."""
        olds, news = plain_map(request.olds), plain_map(request.news)
        if request.preview:
            return wire.UpdateResponse(properties=property_map({**olds, **news}))
        outputs = await self._work(resource_of(request.urn).update, self._world, olds, news)
        return wire.UpdateResponse(properties=property_map(outputs))

    async def delete(self, request: wire.DeleteRequest) -> None:
        """Remove it; fine if it is gone."""
        await self._work(resource_of(request.urn).delete, self._world, plain_map(request.properties))


def main() -> None:
    """The console script `pulumi-resource-epolab`."""
    serve(sys.argv[1:], VERSION, EpolabProvider(World()))
