"""The tree of resources that a lab declares, seen by an engine that makes nothing."""

import asyncio
import gc
import warnings

import pytest
from pulumi.runtime import mocks
from pulumi.runtime.stack import run_pulumi_func

from epolab.components.lab import Lab


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


@pytest.fixture(name="seen")
def seen_fixture(topology, settings):
    recorder = Recorder()

    async def declared():
        mocks.set_mocks(recorder, preview=False)
        await run_pulumi_func(lambda: Lab(topology, settings))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the SDK leaves event loops unclosed
        asyncio.run(declared())
        gc.collect()
    return recorder.seen


def of(seen, noun):
    return {key.split(" ")[1]: inputs for key, inputs in seen.items() if key.startswith(f"epolab:index:{noun} ")}


def test_one_fabric_every_node_every_link(seen, topology):
    assert list(of(seen, "Fabric")) == ["fabric"]
    assert set(of(seen, "Node")) == {node.path for node in topology.nodes}
    assert set(of(seen, "Link")) == {"hq-tokyo"}
    assert set(of(seen, "Site")) == {"hq", "tokyo"}


def test_nodes_hang_on_the_fabric_and_links_on_their_nodes(seen):
    assert {inputs["fabric_id"] for inputs in of(seen, "Node").values()} == {"id"}
    link = of(seen, "Link")["hq-tokyo"]
    assert (link["a_pid"], link["b_pid"], link["fabric_id"]) == (7, 7, "id")


def test_the_fabric_knows_every_segment(seen, topology):
    assert of(seen, "Fabric")["fabric"]["segments"] == [segment.path for segment in topology.segments]
