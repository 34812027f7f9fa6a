"""The door to Debian's tools: new root file systems, Python packages for them, and this host's apt settings."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from epolab.errors import HostError
from epolab.hands.logged import LineSink, as_root, run_logged
from epolab.hands.run import run_checked

_APT = Path("/etc/apt")
_OLDEST_GLIBC, _NEWEST_GLIBC = 17, 36  # manylinux_2_17 up to what Debian 12 has


@dataclass(frozen=True, slots=True)
class RootRequest:
    """What mmdebstrap is asked for; `hooks` run last, with the new root as `$1`."""

    suite: str
    variant: str
    packages: Sequence[str]
    exclude: Sequence[str]
    hooks: Sequence[str]
    sources: str
    epoch: int

    def argv(self, sources: Path, apt_settings: Path) -> list[str]:
        """The command; the root file system comes out of its standard output as a tar."""
        return [
            "mmdebstrap",
            f"--variant={self.variant}",
            "--format=tar",
            f"--aptopt={apt_settings}",
            f"--include={','.join(self.packages)}",
            *(f"--dpkgopt=path-exclude={path}" for path in self.exclude),
            *(f"--customize-hook={hook}" for hook in self.hooks),
            self.suite,
            "-",
            str(sources),
        ]


def make_root(request: RootRequest, output: Path, *, log: Path, on_line: LineSink | None = None) -> None:
    """Write a new root file system as a tar."""
    with TemporaryDirectory(prefix="epolab-root-", dir="/var/tmp") as scratch:
        sources, settings = Path(scratch, "sources.list"), Path(scratch, "apt.conf")
        sources.write_text(request.sources)
        settings.write_text(apt_network_settings())
        environment = {"SOURCE_DATE_EPOCH": str(request.epoch), "LC_ALL": "C.UTF-8"}
        argv = as_root(request.argv(sources, settings), environment)
        run_logged(argv, log=log, on_line=on_line, output=output)


def install_packages(lock: Path, version: str, target: Path, *, log: Path) -> None:
    """Put the lock's Python packages, checked by hash, into a folder, for that CPython on this machine's processor."""
    machine = os.uname().machine
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(_NEWEST_GLIBC, _OLDEST_GLIBC - 1, -1)]
    argv = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    argv += ["--require-hashes", "--no-deps", "--no-compile", "--only-binary=:all:", "--implementation=cp"]
    argv += [f"--python-version={version}", *(f"--platform={platform}" for platform in platforms)]
    run_logged([*argv, f"--platform=manylinux2014_{machine}", f"--target={target}", f"--requirement={lock}"], log=log)


def apt_source_files() -> Mapping[str, str]:
    """This host's apt sources: file name → text."""
    listed = [_APT / "sources.list", *_APT.glob("sources.list.d/*.list"), *_APT.glob("sources.list.d/*.sources")]
    return {path.name: path.read_text(errors="replace") for path in listed if path.is_file()}


def release_codename() -> str:
    """This host's Debian release, for instance `bookworm`."""
    found = re.search(r'^VERSION_CODENAME="?([a-z]+)"?$', Path("/etc/os-release").read_text(), re.MULTILINE)
    if found is None:
        raise HostError("/etc/os-release names no Debian release", hint="run epolab on Debian 12 or newer")
    return found[1]


def apt_network_settings() -> str:
    """How this host's apt reaches its sources (proxies, retries), as lines of an apt.conf."""
    lines = run_checked(["apt-config", "dump"]).text.splitlines()
    return "".join(f"{line}\n" for line in lines if re.match(r'Acquire::(https?|ftp|Retries)\b.*"[^"]+";$', line))
