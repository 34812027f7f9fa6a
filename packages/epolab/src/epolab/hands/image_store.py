"""The container runtime's images: ask for one, make one of a root file system or of another image."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import docker.errors

from epolab.errors import ImageBuildError
from epolab.hands.docker import engine_client


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """What an image says about the containers made of it."""

    command: Sequence[str]
    environment: Mapping[str, str]
    labels: Mapping[str, str]

    def changes(self) -> list[str]:
        """The settings as the lines that `docker import` and `docker commit` take."""
        return [
            f"CMD {json.dumps(list(self.command))}",
            *(f"ENV {name}={json.dumps(value)}" for name, value in self.environment.items()),
            *(f"LABEL {name}={json.dumps(value)}" for name, value in self.labels.items()),
        ]


class ImageStore:
    """The engine's images."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._api: Any = client.api

    @classmethod
    def connect(cls) -> ImageStore:
        """The images of the engine that `engine_client` finds."""
        return cls(engine_client())

    def has(self, reference: str) -> bool:
        """Whether the engine has this image."""
        return self.size(reference) is not None

    def size(self, reference: str) -> int | None:
        """An image's size in bytes, or None if the engine does not have it."""
        try:
            return int(self._api.inspect_image(reference)["Size"])
        except docker.errors.NotFound:
            return None

    def import_root(self, root: Path, reference: str, settings: ImageSettings) -> None:
        """Make an image of a tar of a root file system; the reference exists only when the image is whole."""
        name, tag = reference.rsplit(":", 1)
        with _promise(f"import {reference}"):
            answer = self._api.import_image_from_file(str(root), repository=name, tag=tag, changes=settings.changes())
        _refuse_errors(answer, reference)

    def extend(self, base: str, reference: str, files: bytes, commands: Sequence[str], settings: ImageSettings) -> None:
        """Make an image of another one: its files, those of a tar, and what the commands make of them."""
        name, tag = reference.rsplit(":", 1)
        script = "\n".join(["set -e", *commands])
        with _promise(f"build {reference} from {base}"), self._container(base, script) as identity:
            self._api.put_archive(identity, "/", files)
            self._api.start(identity)
            if self._api.wait(identity)["StatusCode"] != 0:
                said = self._api.logs(identity).decode(errors="replace").splitlines()
                raise ImageBuildError(f"{reference}: a finishing command failed", evidence=said[-10:])
            self._api.commit(identity, repository=name, tag=tag, changes="\n".join(settings.changes()))

    @contextmanager
    def _container(self, base: str, script: str) -> Iterator[str]:
        config = {"Image": base, "Cmd": ["/bin/sh", "-c", script], "HostConfig": {"NetworkMode": "none"}}
        identity = str(self._api.create_container_from_config(config)["Id"])
        try:
            yield identity
        finally:
            self._api.remove_container(identity, force=True, v=True)

    def remove_all(self, label: str) -> list[str]:
        """Remove the images that carry a label and that no container uses; gives the names of those removed."""
        removed: list[str] = []
        for image in self._api.images(filters={"label": label}):
            try:
                self._api.remove_image(image["Id"], force=True)
            except docker.errors.APIError as error:
                if error.status_code != 409:
                    raise
            else:
                removed += image["RepoTags"] or [image["Id"]]
        return removed


def _refuse_errors(answer: str, reference: str) -> None:
    """The engine reports a failed import inside a successful answer: lines of JSON."""
    for line in answer.splitlines():
        said = json.loads(line)
        if "error" in said:
            raise ImageBuildError(f"{reference} was not imported: {said['error']}")


@contextmanager
def _promise(promise: str) -> Iterator[None]:
    try:
        yield
    except (docker.errors.DockerException, OSError) as error:
        reason = getattr(error, "explanation", None) or error
        raise ImageBuildError(f"{promise}: {reason}", hint="docker info") from error
