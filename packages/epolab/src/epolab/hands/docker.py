"""The one door to the container runtime: containers by name and label, files into them, commands in them."""

from __future__ import annotations

import io
import os
import tarfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import docker
import docker.context
import docker.errors

from epolab.errors import ContainerError, DockerUnavailableError
from epolab.hands.run import Completed, ProgramStream, run
from epolab.hands.until import until

REQUESTS_AT_A_TIME = 4
_LIMIT_SECONDS = 120

T = TypeVar("T")
R = TypeVar("R")


def _engine_address() -> str | None:
    """Where the engine is, as the `docker` command would decide it; None for the default socket."""
    if os.environ.get("DOCKER_HOST"):
        return os.environ["DOCKER_HOST"]
    name = os.environ.get("DOCKER_CONTEXT") or docker.context.ContextAPI.get_current_context().Name
    if name in ("default", ""):
        return None
    context = docker.context.ContextAPI.get_context(name)
    if context is None:
        raise DockerUnavailableError(f"there is no Docker context {name!r}", hint="docker context ls")
    return str(context.Host)


def engine_client() -> docker.DockerClient:
    """A client of the engine that DOCKER_HOST or the Docker context names; DockerUnavailableError if none answers."""
    try:
        address = _engine_address()
        settings: dict[str, Any] = {"timeout": _LIMIT_SECONDS, "max_pool_size": 4 * REQUESTS_AT_A_TIME}
        if address is None or os.environ.get("DOCKER_HOST"):
            client = docker.DockerClient.from_env(**settings)
        else:
            client = docker.DockerClient(base_url=address, **settings)
        client.ping()
    except (docker.errors.DockerException, OSError) as error:
        raise DockerUnavailableError(f"no container runtime answers: {error}") from error
    return client


def tar_of(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """A tar of files owned by root: path without leading slash → (content, mode)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, (content, mode) in sorted(files.items()):
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class Docker:
    """The container runtime; changing requests go four at a time, whoever asks."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._api: Any = client.api  # its type hints are incomplete
        self._gate = threading.BoundedSemaphore(REQUESTS_AT_A_TIME)

    @classmethod
    def connect(cls) -> Docker:
        """The engine that DOCKER_HOST or the Docker context names; DockerUnavailableError if it does not answer."""
        return cls(engine_client())

    def _ask(self, question: Callable[[], T], promise: str, *, changing: bool = False) -> T:
        try:
            if not changing:
                return question()
            with self._gate:
                return question()
        except docker.errors.APIError as error:
            raise ContainerError(f"{promise}: {error.explanation or error}") from error
        except (docker.errors.DockerException, OSError) as error:
            raise ContainerError(f"{promise}: {error}", hint="docker info") from error

    def info(self) -> dict[str, Any]:
        """What the engine says about itself and its host."""
        answer: dict[str, Any] = self._ask(self._api.info, "the engine describes itself")
        return answer

    def create(self, name: str, config: Mapping[str, Any]) -> str:
        """Create a container from the API's own configuration; gives its id."""
        answer = self._ask(
            lambda: self._api.create_container_from_config(dict(config), name), f"create {name}", changing=True
        )
        return str(answer["Id"])

    def start(self, name: str) -> None:
        """Start a container; fine if it runs."""
        self._ask(lambda: self._api.start(name), f"start {name}", changing=True)

    def stop(self, name: str) -> None:
        """Stop a container in the way and the time it was made for; fine if it does not run."""
        self._ask(lambda: self._api.stop(name), f"stop {name}", changing=True)

    def remove(self, name: str) -> bool:
        """Kill and remove a container with its anonymous volumes; False if there was none."""
        return self._ask(lambda: self._remove(name), f"remove {name}", changing=True)

    def _remove(self, name: str) -> bool:
        try:
            self._api.remove_container(name, v=True, force=True)
        except docker.errors.APIError as error:
            if error.status_code == 404:
                return False
            if error.status_code != 409:
                raise
            # another request is removing it already: what is promised is that it is gone
            until(lambda: self.inspect(name) is None, what=f"removal of {name}", limit_seconds=30)
        return True

    def inspect(self, name: str) -> dict[str, Any] | None:
        """All about a container, or None if there is none of that name or id."""
        try:
            answer: dict[str, Any] = self._api.inspect_container(name)
        except docker.errors.NotFound:
            return None
        except (docker.errors.DockerException, OSError) as error:
            raise ContainerError(f"inspect {name}: {error}") from error
        return answer

    def containers(self, *labels: str) -> list[dict[str, Any]]:
        """The containers, running or not, that carry all these labels (`key` or `key=value`)."""
        answer: list[dict[str, Any]] = self._ask(
            lambda: self._api.containers(all=True, filters={"label": list(labels)}), "list containers"
        )
        return answer

    def volumes(self, *labels: str) -> list[str]:
        """The names of the volumes that carry all these labels."""
        answer = self._ask(lambda: self._api.volumes(filters={"label": list(labels)}), "list volumes")
        return [volume["Name"] for volume in answer["Volumes"] or []]

    def remove_volume(self, name: str) -> None:
        """Remove a volume; fine if there is none."""
        if name in self._ask(lambda: [v["Name"] for v in self._api.volumes()["Volumes"] or []], "list volumes"):
            self._ask(lambda: self._api.remove_volume(name, force=True), f"remove volume {name}", changing=True)

    def networks(self, *labels: str) -> list[str]:
        """The ids of the networks that carry all these labels."""
        answer = self._ask(lambda: self._api.networks(filters={"label": list(labels)}), "list networks")
        return [str(network["Id"]) for network in answer]

    def remove_network(self, identity: str) -> None:
        """Remove a network."""
        self._ask(lambda: self._api.remove_network(identity), f"remove network {identity}", changing=True)

    def image_id(self, reference: str) -> str | None:
        """The id of an image, or None if the engine does not have it."""
        try:
            return str(self._api.inspect_image(reference)["Id"])
        except docker.errors.NotFound:
            return None
        except (docker.errors.DockerException, OSError) as error:
            raise ContainerError(f"inspect image {reference}: {error}") from error

    def put_files(self, name: str, files: Mapping[str, tuple[bytes, int]]) -> None:
        """Write files of root into a container, running or not: path without leading slash → (content, mode)."""
        data = tar_of(files)
        self._ask(lambda: self._api.put_archive(name, "/", data), f"write files into {name}", changing=True)

    def exec(self, name: str, argv: Sequence[str], stdin: bytes = b"", limit_seconds: float | None = None) -> Completed:
        """Run a command in a container to its end, whatever its exit code."""
        return run(exec_argv(name, argv), stdin=stdin, limit_seconds=limit_seconds)

    def exec_stream(self, name: str, argv: Sequence[str]) -> ProgramStream:
        """A command in a container, kept open and spoken to by lines."""
        return ProgramStream(exec_argv(name, argv))


def exec_argv(name: str, argv: Sequence[str]) -> list[str]:
    """The program that runs a command in a container; it finds the engine by the same environment as we do."""
    return ["docker", "exec", "-i", name, *argv]


def each(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Do a piece of work for each item, four at a time; the first failure is raised when all have ended."""
    with ThreadPoolExecutor(max_workers=REQUESTS_AT_A_TIME) as pool:
        return list(pool.map(work, items))
