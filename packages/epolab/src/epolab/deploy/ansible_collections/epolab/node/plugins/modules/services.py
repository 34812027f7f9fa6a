"""Ansible module: runit services run with their present inputs, or are known to the supervisor and down."""

from __future__ import annotations

import hashlib
import os
import pwd
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule  # type: ignore[import-untyped]

DOCUMENTATION = r"""
module: services
short_description: runit services run with their present inputs
description:
  - A service that runs with other inputs than those on the disk is restarted; which inputs it was started with is kept
    beside it, so that a restart that an earlier, broken run owed is made up for.
  - A service with a C(check) script counts as running when the script succeeds.
options:
  services:
    description: Names of directories below C(/etc/sv).
    type: list
    elements: str
    required: true
  state:
    description:
      - C(known) only shows services to the supervisor, which takes up to five seconds to see them; new ones stay down.
      - C(up) has them run, at each boot too.
    type: str
    choices: [known, up]
    required: true
  inputs:
    description: Files and links that the services read when they start.
    type: list
    elements: path
    default: []
  entrusted:
    description: Other services by name, and the user whose they are to start and stop; they are down after a boot.
    type: dict
    default: {}
author: epolab
"""

ARGUMENTS: dict[str, dict[str, Any]] = {
    "services": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["known", "up"], "required": True},
    "inputs": {"type": "list", "elements": "path", "default": []},
    "entrusted": {"type": "dict", "default": {}},
}
SUPERVISED_SECONDS, READY_SECONDS, PAUSE_SECONDS = 20.0, 60, 0.1
LOGS = Path("/var/log/miniepo")

Run = Callable[..., tuple[int, str, str]]


class ServiceError(Exception):
    """A service did not come up."""


class Service:
    """One service's directory and what is known about it; `root` is where the node's file system begins."""

    def __init__(self, name: str, inputs: Iterable[str] = (), *, root: Path = Path("/")) -> None:
        self.name = name
        self.inputs = [root / path.lstrip("/") for path in inputs]
        self.folder = root / "etc/sv" / name
        self.links = {
            root / "etc/service" / name: f"/etc/sv/{name}",
            root / "etc/init.d" / name: "/usr/bin/sv",
        }

    @property
    def applied(self) -> Path:
        """Where the digest of the inputs lies that the service was started with."""
        return self.folder / "applied"

    @property
    def down(self) -> Path:
        """The file that keeps the supervisor from starting the service."""
        return self.folder / "down"

    def digest(self) -> str:
        """What the inputs amount to now; the service's own scripts count too."""
        hashed = hashlib.sha256()
        for path in [self.folder / "run", self.folder / "check", *self.inputs]:
            hashed.update(f"{path}\0{_content(path)}\0".encode())
        return hashed.hexdigest()

    def is_current(self) -> bool:
        """Whether it was started with the inputs as they are, and is to be started at boot."""
        return not self.down.exists() and self.applied.exists() and self.applied.read_text() == self.digest()


def _content(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "absent"


def runs(service: Service, run: Run) -> bool:
    """Whether the supervisor says that a service is up and wanted up."""
    _, out, _ = run(["sv", "status", str(service.folder)])
    return bool(out.startswith("run:")) and "want down" not in out


def show(service: Service, *, dry: bool) -> bool:
    """The supervisor and the LSB tools know the service; one that is new to them stays down."""
    missing = {p: t for p, t in service.links.items() if not (p.is_symlink() and str(p.readlink()) == t)}
    if missing and not dry:
        service.folder.mkdir(parents=True, exist_ok=True)
        if not service.applied.exists():
            service.down.touch()
        for path, target in missing.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.symlink_to(target)
    return bool(missing)


def entrust(service: Service, user: str, *, dry: bool) -> bool:
    """A user may start and stop the service: its pipes may be made before the supervisor comes to make them."""
    supervise, uid = service.folder / "supervise", pwd.getpwnam(user).pw_uid
    pipes = [supervise / "control", supervise / "ok"]
    right = all(pipe.exists() and pipe.stat().st_uid == uid for pipe in pipes)
    right = right and supervise.stat().st_mode & 0o055 == 0o055
    if not right and not dry:
        supervise.mkdir(parents=True, exist_ok=True)
        supervise.chmod(0o755)
        for pipe in pipes:
            if not pipe.exists():
                os.mkfifo(pipe, 0o600)
            os.chown(pipe, uid, -1)
    return not right


def await_supervisor(service: Service, limit_seconds: float = SUPERVISED_SECONDS) -> None:
    """Wait until the supervisor, which looks for new services every five seconds, has taken this one."""
    for _ in _moments(limit_seconds):
        if _is_supervised(service):
            return
    raise ServiceError(f"{service.name}: no supervisor took it within {limit_seconds:g} s")


def _is_supervised(service: Service) -> bool:
    try:
        os.close(os.open(service.folder / "supervise" / "ok", os.O_WRONLY | os.O_NONBLOCK))
    except OSError:  # no such pipe yet, or nobody reads it
        return False
    return True


def _moments(limit_seconds: float) -> Iterator[None]:
    end = time.monotonic() + limit_seconds
    while time.monotonic() < end:
        yield
        time.sleep(PAUSE_SECONDS)


def bring_up(services: list[Service], run: Run, *, dry: bool) -> list[str]:
    """The services run with their present inputs; those that must start do so at the same time."""
    stale = [s for s in services if not (s.is_current() and runs(s, run))]
    if stale and not dry:
        digests = {service: service.digest() for service in stale}
        for service in stale:
            await_supervisor(service)
            service.down.unlink(missing_ok=True)
        start(stale, run)
        for service, digest in digests.items():
            service.applied.write_text(digest)
    return [service.name for service in stale]


def start(services: list[Service], run: Run) -> None:
    """Restart services, and wait until they are there; ServiceError with what the supervisor says."""
    code, out, error = run(["sv", "-w", str(READY_SECONDS), "restart", *(str(s.folder) for s in services)])
    if code != 0:
        failed = [line for line in (out + error).splitlines() if not line.startswith("ok:")]
        last_words = [words for service in services if (words := _last_words(service)) and _named(service, failed)]
        raise ServiceError("; ".join([*failed, *last_words]) or f"sv ended with {code}")


def _named(service: Service, lines: list[str]) -> bool:
    return any(f"{service.folder}:" in line for line in lines)


def _last_words(service: Service) -> str:
    log = LOGS / f"{service.name}.log"
    return log.read_text(errors="replace").strip().rpartition("\n")[2][-400:] if log.exists() else ""


def keep_down(service: Service, *, dry: bool) -> bool:
    """The service is not started with the node."""
    missing = not service.down.exists()
    if missing and not dry:
        service.down.touch()
    return missing


def apply(wanted: Mapping[str, Any], run: Run, *, dry: bool, root: Path = Path("/")) -> list[str]:
    """Make the services true; says which of them differed."""
    changed = []
    for name, user in wanted["entrusted"].items():
        service = Service(name, root=root)
        if any([show(service, dry=dry), entrust(service, user, dry=dry), keep_down(service, dry=dry)]):
            changed.append(name)
    services = [Service(name, wanted["inputs"], root=root) for name in wanted["services"]]
    changed += [service.name for service in services if show(service, dry=dry)]
    if wanted["state"] == "up":
        changed += bring_up(services, run, dry=dry)
    return list(dict.fromkeys(changed))


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        changed = apply(module.params, module.run_command, dry=module.check_mode)
    except (ServiceError, OSError, KeyError) as error:
        module.fail_json(msg=str(error), invocation={})
    module.exit_json(changed=bool(changed), services=changed, invocation={})


if __name__ == "__main__":
    main()
