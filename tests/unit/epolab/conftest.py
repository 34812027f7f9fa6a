"""A container runtime and a fabric worker that live in memory."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from epolab.errors import ContainerError
from epolab.hands.run import Completed
from epolab.model.topology import Topology
from epolab.provider.world import World
from epolab.topology import load_topology


def carries(labels: Mapping[str, str], wanted: str) -> bool:
    """Whether labels match `key` or `key=value`."""
    key, equals, value = wanted.partition("=")
    return key in labels and (not equals or labels[key] == value)


class MemoryWorker:
    """The other end of a fabric's stream."""

    def __init__(self, runtime: "MemoryRuntime") -> None:
        self._runtime = runtime
        self._answers: list[bytes] = []

    def write(self, data: bytes) -> None:
        request = json.loads(data)
        op, args = request["op"], request["args"]
        self._runtime.calls.append((op, args))
        if op in self._runtime.refused:
            answer = {"id": request["id"], "ok": False, "error": {"type": "Fault", "message": "refused"}}
        else:
            answer = {"id": request["id"], "ok": True, "result": self._result(op, args)}
        self._answers.append(json.dumps(answer).encode() + b"\n")

    def _result(self, op: str, args: dict[str, Any]) -> Any:
        links, documents = self._runtime.links, self._runtime.documents
        if op == "link_apply":
            links[args["name"]] = {"driver": args.get("driver"), "a": {"attached": True}, "b": {"attached": True}}
        if op == "link_remove":
            links.pop(args["name"], None)
        if op == "document_write":
            documents[args["name"]] = args["value"]
        if op == "phase_write":
            documents["phase"] = args
        return {
            "link_state": links,
            "link_counters": {},
            "document_read": documents.get(args.get("name", "")),
            "phase_read": documents.get("phase"),
        }.get(op)

    def read_line(self, limit_seconds: float | None = None) -> bytes:
        return self._answers.pop(0)

    def complaint(self) -> str:
        return ""

    def close(self) -> None:
        return


class MemoryRuntime:
    """Containers by name, with what was written into them and what their fabric was asked."""

    def __init__(self) -> None:
        self.here: dict[str, dict[str, Any]] = {}
        self.files: dict[str, dict[str, tuple[bytes, int]]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.links: dict[str, Any] = {}
        self.documents: dict[str, Any] = {}
        self.volumes_here: dict[str, str] = {}
        self.refused: set[str] = set()
        self.unstartable: set[str] = set()
        self._count = 0

    def info(self) -> dict[str, Any]:
        return {"ID": "AB:CD", "KernelVersion": "6.1", "CgroupDriver": "cgroupfs"}

    def image_id(self, reference: str) -> str | None:
        return None

    def create(self, name: str, config: Mapping[str, Any]) -> str:
        assert name not in self.here
        self._count += 1
        state = {"Running": False, "Pid": 0, "StartedAt": ""}
        labels = {"Labels": dict(config["Labels"])}
        self.here[name] = {"Id": f"id-{self._count}", "Config": labels, "State": state, "Created": dict(config)}
        return f"id-{self._count}"

    def start(self, name: str) -> None:
        if name in self.unstartable:
            raise ContainerError(f"start {name}: refused")
        state = self.here[name]["State"]
        if not state["Running"]:
            self._count += 1
            state.update(Running=True, Pid=1000 + self._count, StartedAt=f"at-{self._count}")

    def stop(self, name: str) -> None:
        self.here[name]["State"].update(Running=False, Pid=0)

    def remove(self, name: str) -> bool:
        return self.here.pop(name, None) is not None

    def inspect(self, name: str) -> dict[str, Any] | None:
        found = self.here.get(name)
        return None if found is None else {**found, "State": dict(found["State"])}

    def containers(self, *labels: str) -> list[dict[str, Any]]:
        return [
            {
                "Names": [f"/{name}"],
                "Id": found["Id"],
                "Labels": found["Config"]["Labels"],
                "State": "running" if found["State"]["Running"] else "exited",
            }
            for name, found in self.here.items()
            if all(carries(found["Config"]["Labels"], label) for label in labels)
        ]

    def volumes(self, *labels: str) -> list[str]:
        return [name for name, lab in self.volumes_here.items() if f"epolab.lab={lab}" in labels]

    def remove_volume(self, name: str) -> None:
        self.volumes_here.pop(name, None)

    def remove_network(self, identity: str) -> None:
        raise AssertionError("a lab has no networks of the engine's")

    def networks(self, *labels: str) -> list[str]:
        return []

    def exec(self, name: str, argv: Sequence[str], stdin: bytes = b"", limit_seconds: float | None = None) -> Completed:
        """Only the reading of phase and lease."""
        if not self.here[name]["State"]["Running"]:
            return Completed(1, b"", b"not running")
        both = [json.dumps(self.documents.get(document)) for document in ("phase", "lease")]
        return Completed(0, "\n".join(both).encode() + b"\n", b"")

    def put_files(self, name: str, files: Mapping[str, tuple[bytes, int]]) -> None:
        assert name in self.here
        self.files.setdefault(name, {}).update(files)

    def exec_stream(self, name: str, argv: Sequence[str]) -> MemoryWorker:
        assert self.here[name]["State"]["Running"]
        return MemoryWorker(self)

    def asked(self, op: str) -> list[dict[str, Any]]:
        """The arguments of each request of one kind."""
        return [args for name, args in self.calls if name == op]


@pytest.fixture(name="runtime")
def runtime_fixture() -> MemoryRuntime:
    return MemoryRuntime()


@pytest.fixture(name="world")
def world_fixture(runtime: MemoryRuntime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("EPOLAB_HOME", str(tmp_path))
    return World(runtime)  # type: ignore[arg-type]


@pytest.fixture(name="fabric_props")
def fabric_props_fixture() -> dict[str, Any]:
    return {
        "lab": "lab",
        "owner": "me",
        "expires": "",
        "created": "2026-01-01T00:00:00Z",
        "topology": "small",
        "image": "epolab/fabric:1",
        "tun": True,
        "segments": ["hq/lan"],
    }


@pytest.fixture(name="node_props")
def node_props_fixture() -> dict[str, Any]:
    return {
        "lab": "lab",
        "owner": "me",
        "expires": "",
        "path": "hq/pc-1",
        "fqdn": "pc-1.hq.test",
        "kind": "container",
        "components": ["agent"],
        "image": "epolab/node:1",
        "memory_mib": 64,
        "sysctls": {"net.ipv6.conf.all.disable_ipv6": "0"},
        "interfaces": [{"name": "eth0", "segment": "hq/lan", "mac": "02:00:00:00:00:01", "cidrs": ["10.1.0.10/24"]}],
        "routes": [{"destination": "default", "via": "10.1.0.1"}],
        "resolvers": ["10.1.0.1"],
        "own_address": "10.1.0.10",
        "fabric_id": "id-1",
        "ssh_public": "ssh-ed25519 x",
    }


@pytest.fixture(name="topology")
def topology_fixture(tmp_path: Path) -> Topology:
    """Two sites joined by a thin line, a few nodes each."""
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return load_topology(file)


SMALL = """epolab: 1
name: small
sites:
  hq:
    nodes:
      epo: {components: [server]}
      sql: {components: [sql]}
      pc: {components: [agent], count: 1}
  tokyo:
    nodes:
      far: {components: [agent]}
wan:
  - {between: [hq, tokyo], rate: 10mbit, delay: 40ms}
"""
