"""The pinned Go toolchain: fetched by any `go`, refused if its checksum differs, gone after the build."""

import json
from pathlib import Path

import pytest

from epolab.errors import CommandFailedError
from epolab.hands.go_build import GoToolchain


@pytest.fixture
def pinned(tmp_path: Path) -> Path:
    path = tmp_path / "toolchain.sum"
    path.write_text("go.test/toolchain v1 h1:right\n")
    return path


def any_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checksum: str) -> None:
    """A `go` whose only skill is to say where it put a module."""
    module = tmp_path / "module"
    (module / "bin").mkdir(parents=True)
    (module / "bin" / "go").write_text("#!/bin/sh\n")
    (tmp_path / "path").mkdir()
    fetcher = tmp_path / "path" / "go"
    fetcher.write_text(f"#!/bin/sh\necho '{json.dumps({'Dir': str(module), 'Sum': checksum})}'\n")
    fetcher.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")


def test_the_toolchain_is_callable_keeps_to_itself_and_goes(
    pinned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    any_go(tmp_path, monkeypatch, "h1:right")
    with GoToolchain.prepared(pinned, tmp_path / "log") as go:
        program = go.root / "bin" / "go"
        assert program.stat().st_mode & 0o111
        assert go.argv(["version"])[-2:] == [str(program), "version"]
        places = [go.environment[name] for name in ("GOMODCACHE", "GOPATH", "GOCACHE", "GOTMPDIR", "GOROOT")]
        assert all(Path(place).is_relative_to(go.work) for place in places)
        assert go.environment["GOTOOLCHAIN"] == "local"
    assert not go.work.exists()


def test_another_checksum_is_refused(pinned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    any_go(tmp_path, monkeypatch, "h1:wrong")
    with (
        pytest.raises(CommandFailedError, match="h1:wrong, not h1:right"),
        GoToolchain.prepared(pinned, tmp_path / "log"),
    ):
        pass
