"""A lab declared before an engine that makes nothing and takes down what it was told."""

import asyncio
import gc
import warnings

import pytest
from pulumi.runtime import mocks
from pulumi.runtime.stack import run_pulumi_func

from epolab.components.lab import Lab
from epolab.components.settings import LabSettings


@pytest.fixture(name="settings")
def settings_fixture() -> LabSettings:
    images = {"fabric": "epolab/fabric:1", "node": "epolab/node:1", "vm": "epolab/vm:1"}
    return LabSettings("lab", "me", "2026-01-01T00:00:00Z", None, images, True, {"hq-tokyo": "cable"})


class Recorder(mocks.Mocks):
    """Takes every resource for made."""

    def __init__(self):
        self.seen = {}

    def new_resource(self, args):
        self.seen[f"{args.typ} {args.name}"] = args.inputs
        outputs = {"container": args.name, "container_id": "id", "ssh_public": "key", "pid": 7}
        return args.name, {**args.inputs, **outputs}

    def call(self, args):
        return {}


@pytest.fixture(name="loops")
def loops_fixture(monkeypatch):
    """The event loops that the SDK's mocks make in their threads; nobody else closes them."""
    made = []
    make = asyncio.new_event_loop
    monkeypatch.setattr(asyncio, "new_event_loop", lambda: made.append(make()) or made[-1])
    yield made
    for loop in made:
        loop.close()


@pytest.fixture(name="seen")
def seen_fixture(topology, settings, loops):
    recorder = Recorder()

    async def declared():
        mocks.set_mocks(recorder, preview=False)
        await run_pulumi_func(lambda: Lab(topology, settings))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the SDK leaves event loops unclosed
        asyncio.run(declared())
        asyncio.set_event_loop(None)
        gc.collect()
    return recorder.seen


@pytest.fixture(name="told")
def told_fixture(seen):
    """What the engine was told of each resource of one kind, by name."""

    def of(noun):
        return {key.split(" ")[1]: inputs for key, inputs in seen.items() if key.startswith(f"epolab:index:{noun} ")}

    return of
