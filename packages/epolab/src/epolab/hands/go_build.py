"""A pinned Go toolchain for one build: fetched as a Go module by whatever `go` there is, and thrown away afterwards."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from epolab.errors import CommandFailedError, ToolMissingError
from epolab.hands.run import run

_PLACES = ("/usr/local/go/bin/go", "/usr/bin/go")
COLLECT_AT_PERCENT = "400"
"""The compiler's own garbage: collected that seldom, it takes some memory more and a good deal of time less."""


@dataclass(frozen=True, slots=True)
class GoToolchain:
    """A Go that depends on nothing of the host's; `environment` keeps everything it makes inside `work`."""

    work: Path
    root: Path
    environment: Mapping[str, str]

    @staticmethod
    def fetcher() -> str | None:
        """Any `go` command; it only has to be able to download a module."""
        return shutil.which("go") or next((place for place in _PLACES if os.access(place, os.X_OK)), None)

    @classmethod
    @contextmanager
    def prepared(cls, pinned: Path, log: Path) -> Iterator[GoToolchain]:
        """The toolchain that `pinned` names (`module version checksum`), for as long as the block lasts."""
        with TemporaryDirectory(prefix="epolab-go-", dir="/var/tmp") as scratch:
            work = Path(scratch)
            module, version, checksum = pinned.read_text().split()
            fetched = _download(f"{module}@{version}", work, log)
            if fetched["Sum"] != checksum:
                raise CommandFailedError(f"{module} {version} has the checksum {fetched['Sum']}, not {checksum}")
            root = work / "toolchain"
            shutil.copytree(fetched["Dir"], root)
            for program in (*root.glob("bin/*"), *root.glob("pkg/tool/*/*")):
                program.chmod(0o755)
            path = f"{root / 'bin'}:{os.environ['PATH']}"
            yield cls(work, root, {**_environment(work), "GOROOT": str(root), "PATH": path, "CGO_ENABLED": "0"})

    def argv(self, words: Sequence[str]) -> list[str]:
        """A `go` command, at low priority."""
        return ["nice", "-n", "5", str(self.root / "bin" / "go"), *words]

    def module_folder(self, module: str) -> Path:
        """Where a module `path@version` that a build has downloaded lies."""
        return self.work / "modules" / module


def _environment(work: Path) -> dict[str, str]:
    places = {"GOMODCACHE": "modules", "GOPATH": "path", "GOCACHE": "build", "GOENV": "env", "GOTMPDIR": "scratch"}
    (work / "scratch").mkdir(exist_ok=True)
    own = {name: str(work / place) for name, place in places.items()}
    return {**own, "GOFLAGS": "-modcacherw", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOGC": COLLECT_AT_PERCENT}


def _download(module: str, work: Path, log: Path) -> dict[str, str]:
    """Fetch a module, checked against the checksum database where the host's Go settings allow it."""
    go = GoToolchain.fetcher()
    if go is None:
        raise ToolMissingError("there is no `go` command", hint="apt-get install golang-go")
    done = run([go, "mod", "download", "-json", module], folder=work, environment={**os.environ, **_environment(work)})
    with log.open("ab") as journal:
        journal.write(done.stdout + done.stderr)
    if done.exit_code != 0:
        raise CommandFailedError(f"{module} cannot be fetched", evidence=done.text.splitlines())
    answer: dict[str, str] = json.loads(done.stdout)
    return answer
