"""What the provider works on: the container runtime, the fabrics' workers, the labs' folders."""

from __future__ import annotations

import threading
from typing import Any

from epolab.errors import ContainerError, FabricError
from epolab.hands.docker import Docker
from epolab.hands.fabric import Fabric, open_fabric
from epolab.hands.files import LabFolder
from epolab.provider.labels import LAB, fabric_container


class World:
    """One connection to the engine and one worker per lab's fabric, opened when first needed."""

    def __init__(self, docker: Docker | None = None) -> None:
        self._docker = docker
        self._fabrics: dict[str, tuple[str, Fabric]] = {}
        self._gate = threading.Lock()

    @property
    def docker(self) -> Docker:
        """The container runtime."""
        with self._gate:
            if self._docker is None:
                self._docker = Docker.connect()
            return self._docker

    def fabric(self, lab: str) -> Fabric:
        """The worker in the lab's fabric; a fresh one if the fabric was made anew."""
        docker = self.docker
        container = docker.inspect(fabric_container(lab))
        if container is None or not container["State"]["Running"]:
            raise FabricError(f"the fabric of lab {lab} does not run", hint="epolab up")
        started = container["Id"] + container["State"]["StartedAt"]
        with self._gate:
            known = self._fabrics.get(lab)
            if known is None or known[0] != started:
                known = (started, open_fabric(docker, fabric_container(lab)))
                self._fabrics[lab] = known
            return known[1]

    def folder(self, lab: str) -> LabFolder:
        """The lab's folder on this host."""
        return LabFolder.of(lab).make()


def own_container(docker: Docker, name: str, lab: str) -> dict[str, Any] | None:
    """The container of that name if it is the lab's, None if there is none; ContainerError if it is someone else's."""
    container = docker.inspect(name)
    if container is not None and container["Config"]["Labels"].get(LAB) != lab:
        raise ContainerError(
            f"a container named {name} exists that does not belong to lab {lab}",
            hint=f"docker rm -f {name}, or choose another lab name with --name",
        )
    return container


def create_and_start(docker: Docker, name: str, config: dict[str, Any], files: dict[str, tuple[bytes, int]]) -> None:
    """Create a container, write files into it, start it: all of it, or nothing is left."""
    docker.create(name, config)
    try:
        if files:
            docker.put_files(name, files)
        docker.start(name)
    except BaseException:
        docker.remove(name)
        raise
