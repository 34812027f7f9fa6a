"""Where the Pulumi engine comes from: one on PATH that is new enough, the official installer, or pinned Go modules."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from epolab.errors import CommandFailedError, EpolabError, PulumiMissingError
from epolab.hands.cache import Cache
from epolab.hands.go_build import GoToolchain
from epolab.hands.logged import run_logged
from epolab.hands.run import run

VERSION = "3.259.0"
REPOSITORY = Path(__file__).resolve().parents[5]
MODULES = REPOSITORY / "toolchain" / "pulumi"
_SDK = f"github.com/pulumi/pulumi/sdk/v3@v{VERSION}"
_VERSION_FLAG = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{VERSION}"
Program = tuple[Path, str, str]
"""A folder with pinned modules, the package in it that is built, flags of its linker."""
_PROGRAMS: tuple[Program, ...] = (
    (MODULES, "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", _VERSION_FLAG),
    (MODULES / "language-python", "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python", ""),
)
_SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
_INSTALL_LIMIT_SECONDS = 180
_INSTALL = f"""
import sys
from pulumi.automation import PulumiCommand
from semver import VersionInfo
PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse("{VERSION}"))
"""
Progress = Callable[[str], None]


def find() -> Path:
    """A folder with `bin/pulumi` in it, made by set-up or found on PATH; PulumiMissingError if there is none."""
    linked = Path(sys.prefix)
    if (linked / "bin" / "pulumi").exists():
        return linked
    found = on_path() or _kept(Cache("pulumi"))
    if found is None:
        raise PulumiMissingError(f"there is no Pulumi engine {VERSION} or newer on this host")
    return found


def provide(progress: Progress, need_go: Callable[[], None]) -> Path:
    """The engine by the ladder; `need_go` is called when a `go` command must be installed to build it."""
    cache = Cache("pulumi")
    found = on_path() or _kept(cache)
    if found:
        return found
    progress(f"fetching Pulumi {VERSION} by its official installer")
    try:
        return cache.make(f"official-{VERSION}", _install)
    except EpolabError as error:
        progress(f"the official installer did not work here ({_last_word(error)})")
    progress("building Pulumi from its pinned Go modules (about five minutes)")
    if not GoToolchain.fetcher():
        need_go()
    return cache.make(built_key(), lambda folder: _build(folder, progress))


def on_path() -> Path | None:
    """The folder above `bin` of a `pulumi` on PATH that is new enough and not a link that set-up made."""
    for folder in os.get_exec_path():
        program = Path(folder, "pulumi")
        own = Path(folder) == Path(sys.prefix, "bin")
        if not own and Path(folder).name == "bin" and os.access(program, os.X_OK) and new_enough(_says(program)):
            return program.parent.parent
    return None


def new_enough(version: str) -> bool:
    """Whether `pulumi version` printed the same major version and at least the pinned one."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    if found is None:
        return False
    seen = tuple(int(part) for part in found.groups())
    wanted = tuple(int(part) for part in VERSION.split("."))
    return seen[0] == wanted[0] and seen >= wanted


def built_key() -> str:
    """The cache entry of the engine built here: a digest of the pinned modules and the processor."""
    digest = hashlib.sha256(f"{VERSION} {os.uname().machine}".encode())
    for path in sorted(MODULES.rglob("*")):
        if path.name in {"go.mod", "go.sum", "tools.go", "toolchain.sum"}:
            digest.update(f"{path.relative_to(MODULES)}\n".encode() + path.read_bytes())
    return f"built-{VERSION}-{digest.hexdigest()[:12]}"


def link(engine: Path, into: Path) -> None:
    """Make the engine's programs callable from a folder that is on PATH, for plain `pulumi up`."""
    for program in sorted((engine / "bin").glob("pulumi*")):
        place = into / program.name
        if place.is_symlink():
            place.unlink()
        if not place.exists():
            place.symlink_to(program)


def _kept(cache: Cache) -> Path | None:
    return cache.find(f"official-{VERSION}") or cache.find(built_key())


def _says(program: Path) -> str:
    return run([str(program), "version"], environment={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}).text


def _last_word(error: EpolabError) -> str:
    return error.evidence[-1] if error.evidence else error.message


def _install(folder: Path) -> None:
    done = run([sys.executable, "-c", _INSTALL, str(folder)], limit_seconds=_INSTALL_LIMIT_SECONDS)
    if done.exit_code != 0 or not (folder / "bin" / "pulumi").exists():
        raise CommandFailedError("the installer failed", evidence=done.complaint.splitlines())


def _build(folder: Path, progress: Progress) -> None:
    binaries, log = folder / "bin", folder / "build.log"
    binaries.mkdir()
    with GoToolchain.prepared(MODULES / "toolchain.sum", log) as go:

        def build(program: Program) -> None:
            modules, package, flags = program
            progress(f"building {package.rsplit('/', 1)[1]}")
            argv = ["build", "-trimpath", f"-ldflags=-s -w {flags}", f"-o={binaries}/", package]
            run_logged(go.argv(argv), log=log, folder=modules, environment=go.environment)

        with ThreadPoolExecutor() as pool:  # while one is linked, by one thread, the other is compiled
            list(pool.map(build, _PROGRAMS))
        for script in _SCRIPTS:
            copied = shutil.copy(go.module_folder(_SDK) / script, binaries)
            Path(copied).chmod(0o755)
