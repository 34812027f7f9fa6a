"""Whether the engine's host runs guests by KVM or must interpret them (TCG): a timed micro-boot, remembered per host.

`/dev/kvm` may exist and yet hang, so only a kernel that booted is a yes. A wrong no only costs speed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Literal

from epolab.errors import ContainerError
from epolab.hands.docker import Docker
from epolab.hands.files import cache_home, write_private
from epolab.hands.run import Completed, run

Accelerator = Literal["kvm", "tcg"]

_ACCELERATORS: Mapping[str, Accelerator] = {"kvm": "kvm", "tcg": "tcg"}

PROBE_SECONDS = 5
_ENGINE_REFUSED = 125  # exit code of `docker run` when the container could not be made
_gate = threading.Lock()


def accelerator(docker: Docker, image: str) -> Accelerator:
    """What guests run by on this engine's host; probed with a VM image when nobody has yet."""
    with _gate:
        known = remembered(docker)
        if known is None:
            known = judge(_micro_boot(image))
            _remember(docker, known)
        return known


def remembered(docker: Docker) -> Accelerator | None:
    """What an earlier probe found on this host with this kernel; None if there was none."""
    return _ACCELERATORS.get(_memory().get(_host(docker), ""))


def judge(boot: Completed) -> Accelerator:
    """kvm if the kernel spoke in time; a host without the device is a no, any other refusal of the engine an error."""
    if boot.exit_code == _ENGINE_REFUSED and "/dev/kvm" not in boot.complaint:
        raise ContainerError(f"the acceleration probe could not start: {boot.complaint}", hint="make setup")
    return "kvm" if boot.exit_code == 0 else "tcg"


def _micro_boot(image: str) -> Completed:
    """Boot a kernel by KVM in a container that the engine removes even if we are killed."""
    container = ["docker", "run", "--rm", "--network", "none", "--cap-drop", "ALL", "--device", "/dev/kvm", image]
    return run([*container, "/usr/local/sbin/vm-probe", "kvm", str(PROBE_SECONDS)], limit_seconds=60)


def _host(docker: Docker) -> str:
    info = docker.info()
    return f"{info['ID']} {info['KernelVersion']}"


def _memory() -> dict[str, str]:
    try:
        found = json.loads((cache_home() / "acceleration.json").read_bytes())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _remember(docker: Docker, found: Accelerator) -> None:
    write_private(cache_home() / "acceleration.json", json.dumps(_memory() | {_host(docker): found}).encode())
