"""What needs no engine: tars, commands, four at a time."""

import gc
import io
import tarfile
import threading
import warnings
from types import SimpleNamespace

import docker
import docker.errors
import pytest

from epolab.errors import ContainerError, DockerUnavailableError
from epolab.hands.docker import REQUESTS_AT_A_TIME, Docker, each, exec_argv, tar_of


def test_a_tar_has_the_files_of_root_with_their_modes():
    data = tar_of({"etc/b": (b"two", 0o600), "etc/a": (b"one", 0o644)})
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = archive.getmembers()
        assert [(m.name, m.mode, m.uid, m.gid) for m in members] == [("etc/a", 0o644, 0, 0), ("etc/b", 0o600, 0, 0)]
        assert archive.extractfile("etc/b").read() == b"two"


def test_a_command_in_a_container():
    assert exec_argv("lab.fabric", ["cat", "x"]) == ["docker", "exec", "-i", "lab.fabric", "cat", "x"]


def test_each_works_at_a_bounded_number_at_once():
    gate, now, most = threading.Lock(), [0], [0]

    def work(item):
        with gate:
            now[0] += 1
            most[0] = max(most[0], now[0])
        with gate:
            now[0] -= 1
        return item * 2

    assert each(work, range(50)) == [item * 2 for item in range(50)]
    assert most[0] <= REQUESTS_AT_A_TIME


def test_an_engine_that_does_not_answer_is_the_hosts_fault(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the library leaves its unconnected socket unclosed
        with pytest.raises(DockerUnavailableError):
            Docker.connect()
        gc.collect()


def test_an_unknown_context_is_the_hosts_fault(monkeypatch):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONTEXT", "no-such-context")
    with pytest.raises(DockerUnavailableError):
        Docker.connect()


def test_a_word_that_names_no_image_is_refused_as_the_engines_answer():
    class Api:
        def inspect_image(self, reference):
            raise docker.errors.APIError("invalid reference format")

    with pytest.raises(ContainerError, match="inspect image A:b:c"):
        Docker(SimpleNamespace(api=Api())).image_id("A:b:c")
