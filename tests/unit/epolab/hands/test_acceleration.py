"""The verdict of the timed micro-boot, and that it is asked once per host."""

from pathlib import Path
from typing import Any

import pytest

from epolab.errors import ContainerError
from epolab.hands import acceleration
from epolab.hands.run import Completed


class Engine:
    """As much of the container runtime as tells one host from another."""

    def __init__(self, identity: str, kernel: str = "6.1") -> None:
        self._info = {"ID": identity, "KernelVersion": kernel}

    def info(self) -> dict[str, Any]:
        return self._info


def engine(identity: str, kernel: str = "6.1") -> Any:
    return Engine(identity, kernel)


@pytest.mark.parametrize(
    ("exit_code", "complaint", "found"),
    [
        (0, b"", "kvm"),
        (1, b"", "tcg"),
        (137, b"", "tcg"),
        (125, b'error gathering device information while adding custom device "/dev/kvm": no such file', "tcg"),
    ],
)
def test_only_a_kernel_that_spoke_is_a_yes(exit_code: int, complaint: bytes, found: str) -> None:
    assert acceleration.judge(Completed(exit_code, b"", complaint)) == found


def test_an_engine_that_refuses_for_another_reason_is_no_verdict() -> None:
    with pytest.raises(ContainerError, match="No such image"):
        acceleration.judge(Completed(125, b"", b"docker: Error: No such image: epolab/vm:0"))


def test_a_finding_is_remembered_for_its_host_and_kernel_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "epolab").mkdir()
    (tmp_path / "epolab/acceleration.json").write_text('{"A 6.1": "kvm", "B 6.1": "warp"}')
    assert acceleration.remembered(engine("A")) == "kvm"
    assert acceleration.accelerator(engine("A"), "an image that is never asked") == "kvm"
    assert acceleration.remembered(engine("A", kernel="6.2")) is None
    assert acceleration.remembered(engine("B")) is None


def test_a_broken_memory_is_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "epolab").mkdir()
    (tmp_path / "epolab/acceleration.json").write_text("{")
    assert acceleration.remembered(engine("A")) is None
