"""What this host can do for a lab, one check each, with the command that mends what is missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from epolab.errors import EpolabError, HostError
from epolab.hands import pulumi_engine
from epolab.hands.acceleration import remembered
from epolab.hands.capacity import free_memory_mib, has_tun
from epolab.hands.docker import Docker
from epolab.hands.files import cache_home
from epolab.hands.link_facts import read_link_facts

_OLDEST_ENGINE = (20, 10)
_TOOLS = {"docker": "docker.io", "mmdebstrap": "mmdebstrap", "ssh": "openssh-client"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a host must or may have; `ok` is False only where a lab would fail."""

    name: str
    ok: bool
    observed: str
    hint: str = ""

    def document(self) -> dict[str, Any]:
        """As `doctor --json` shows it; a check that holds needs no hint."""
        return {**asdict(self), "hint": "" if self.ok else self.hint}


@dataclass(frozen=True, slots=True)
class Needs:
    """What is asked of the host; without a topology only what every lab needs."""

    memory_mib: int = 512
    disk_mib: int = 2048
    tun_for: tuple[str, ...] = ()
    virtual_machines: bool = False
    images: tuple[str, ...] = ()
    fabric_image: str = ""
    named_images: tuple[str, ...] = ()


def checks(needs: Needs, connect: Callable[[], Docker] = Docker.connect) -> list[Check]:
    """All checks, in the order in which mending them makes sense; nothing is changed."""
    found = [*tools(), pulumi(), memory(needs.memory_mib), disk(needs.disk_mib)]
    try:
        docker = connect()
        info = docker.info()
    except EpolabError as error:
        missing = Check("engine", False, error.message, error.hint or "make setup")
        return [missing, *found, tun(has_tun(), needs.tun_for), netem(None)]
    images = [image(docker, reference) for reference in needs.images]
    named = [named_image(docker, reference) for reference in needs.named_images]
    engine = [engine_version(info), *images, *named]
    return [*engine, *found, *links(docker, info, needs), acceleration(docker, needs.virtual_machines)]


def engine_version(info: dict[str, Any]) -> Check:
    """The container runtime is one that knows all that labs ask of it."""
    version = str(info["ServerVersion"])
    words = version.split(".")[:2]
    number = tuple(int(word) for word in words if word.isdigit())
    said = f"Docker {version}, cgroup v{info.get('CgroupVersion', '1')}, {info['OperatingSystem']}"
    return Check("engine", number >= _OLDEST_ENGINE, said, "install Docker Engine 20.10 or newer")


def image(docker: Docker, reference: str) -> Check:
    """An image that the lab's nodes are made of; `up` builds one that is not there, so this only informs."""
    there = docker.image_id(reference) is not None
    return Check(f"image {reference}", True, "built" if there else "not built yet; `epolab up` does it")


def named_image(docker: Docker, reference: str) -> Check:
    """An image that the topology names; it is the user's, and `up` cannot build it."""
    there = docker.image_id(reference) is not None
    return Check(f"image {reference}", there, "there" if there else "missing", image_hint(reference))


def image_hint(reference: str) -> str:
    """The commands that bring a user's own image into the engine."""
    return f"docker load --input FILE, docker pull {reference}, or docker build --tag {reference} FOLDER"


def tools() -> Sequence[Check]:
    """The programs that epolab starts on this host."""
    return [_tool(program, package) for program, package in _TOOLS.items()]


def _tool(program: str, package: str) -> Check:
    found = shutil.which(program)
    return Check(f"program {program}", found is not None, found or "missing", f"apt-get install {package}")


def pulumi() -> Check:
    """The engine that keeps a lab's resources."""
    try:
        return Check("pulumi", True, str(pulumi_engine.find() / "bin" / "pulumi"))
    except HostError as error:
        return Check("pulumi", False, error.message, error.hint)


def memory(needed_mib: int) -> Check:
    """Enough free memory for the nodes' sum."""
    free = free_memory_mib()
    return Check(
        "memory", free >= needed_mib, f"{free} MiB free, {needed_mib} MiB needed", "epolab ls; epolab down LAB"
    )


def disk(needed_mib: int) -> Check:
    """Enough room where the cache and the labs lie."""
    place = next(path for path in (cache_home(), *cache_home().parents) if path.exists())
    free = shutil.disk_usage(place).free // 1024**2
    return Check("disk", free >= needed_mib, f"{free} MiB free at {place}, {needed_mib} MiB needed", f"df -h {place}")


def links(docker: Docker, info: Mapping[str, Any], needs: Needs) -> Sequence[Check]:
    """What links can be made of, tried in a container that removes itself; not without the image for it."""
    if not needs.fabric_image or docker.image_id(needs.fabric_image) is None:
        return [tun(has_tun(), needs.tun_for), netem(None)]
    try:
        facts = read_link_facts(info, needs.fabric_image, fresh=True)
    except EpolabError as error:
        said = "; ".join([error.message, *error.evidence[-1:]])
        return [tun(has_tun(), needs.tun_for), Check("netem", False, said, "docker info")]
    return [tun(facts.tun, needs.tun_for), netem(facts.netem)]


def tun(there: bool, needed_for: Sequence[str]) -> Check:
    """The device that shaped links and virtual machines are made of."""
    said = "/dev/net/tun is there" if there else "no /dev/net/tun: WAN links cannot be shaped"
    needed = f"; needed for {', '.join(needed_for)}" if needed_for else ""
    return Check("tun", there or not needed_for, said + needed, "modprobe tun")


def netem(there: bool | None) -> Check:
    """Whether the kernel can shape links; our own cable does, so this only informs."""
    words = {
        True: "this kernel has netem; the userspace cable is used all the same",
        False: "this kernel has no netem; the userspace cable is used, which does not need it",
        None: "not tried yet; the userspace cable is used, which does not need it",
    }
    return Check("netem", True, words[there])


def acceleration(docker: Docker, needed: bool) -> Check:
    """How virtual machines would run; interpreting them is slow but never wrong, so this only informs."""
    known = remembered(docker)
    device = os.access(Path("/dev/kvm"), os.R_OK | os.W_OK)
    words = {
        "kvm": "virtual machines run by KVM",
        "tcg": "virtual machines are interpreted (a boot takes about 6 s)",
        None: f"not probed yet; /dev/kvm {'is there' if device else 'is missing'}",
    }
    return Check("acceleration", True, words[known] + ("" if needed else "; no node here needs it"))
