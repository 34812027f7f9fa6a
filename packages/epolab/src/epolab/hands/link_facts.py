"""What the containers' host offers for shaping links: tried in a scratch container, remembered per host and kernel."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from epolab.errors import ContainerError
from epolab.hands.files import cache_home, write_private
from epolab.hands.run import Completed, run
from epolab.wan.driver import HostFacts

TUN = "/dev/net/tun"
LIMIT_SECONDS = 60

Run = Callable[[Sequence[str]], Completed]


def _run(argv: Sequence[str]) -> Completed:
    return run(argv, limit_seconds=LIMIT_SECONDS)


def read_link_facts(
    engine: Mapping[str, Any], image: str, *, fresh: bool = False, home: Path | None = None, execute: Run = _run
) -> HostFacts:
    """The facts of the host that the engine (its `info`) runs on; `fresh` tries again whatever is remembered."""
    name = f"{engine['ID']}-{engine['KernelVersion']}".replace(":", "").replace("/", "")
    memory = (home or cache_home()) / "hosts" / f"{name}.json"
    if not fresh and memory.exists():
        return HostFacts(**json.loads(memory.read_text()))
    facts = probe_link_facts(image, execute)
    if facts.tun:  # A missing device is mended by one command: it is looked for again the next time.
        write_private(memory, json.dumps({"tun": facts.tun, "netem": facts.netem}).encode())
    return facts


def probe_link_facts(image: str, execute: Run = _run) -> HostFacts:
    """Try in a container of the fabric's image, which removes itself."""
    done = execute(_argv(image, "--device", TUN))
    if done.exit_code != 0 and TUN in done.complaint:
        done = execute(_argv(image))  # The engine refuses a device that is not there.
    if done.exit_code != 0:
        raise ContainerError("the host could not be probed", evidence=done.complaint.splitlines()[-5:])
    return HostFacts(**json.loads(done.stdout))


def _argv(image: str, *options: str) -> list[str]:
    caged = ["docker", "run", "--rm", "--network", "none", "--cap-drop", "ALL", "--cap-add", "NET_ADMIN"]
    # It sees the host's first process, so that it can refuse to try anything in the host's own network.
    caged += ["--pid", "host", "--cap-add", "SYS_PTRACE", "--security-opt", "apparmor=unconfined"]
    return [*caged, *options, "--entrypoint", "python3", image, "-m", "epolab_fabric.host_facts"]
