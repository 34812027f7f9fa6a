"""What the system's `ssh` meets on hosts that do not let it in; a host that does is a node of a lab."""

import asyncio
import os
import socket
import tempfile
from pathlib import Path

import pytest

from miniepo.errors import SilentError, UnreachableError
from miniepo.wire import secure_shell
from miniepo.wire.secure_shell import Login, Ran
from tests.integration.miniepo.field import free_port

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not Path(secure_shell.SSH).exists(), reason="there is no ssh here"),
]
LOGIN = Login("administrator", "a password")


def run(host: str, port: int, limit_seconds: float = 20.0) -> Ran:
    return asyncio.run(secure_shell.run(host, port, LOGIN, "true", b"", limit_seconds))


def test_a_port_where_nobody_listens_is_told() -> None:
    with pytest.raises(UnreachableError, match="Connection refused"):
        run("127.0.0.1", free_port())


def test_a_name_that_nobody_knows_is_told() -> None:
    with pytest.raises(UnreachableError, match="Could not resolve hostname"):
        run("no-such-host.invalid", 22)


def test_a_host_that_says_nothing_is_not_waited_for_without_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(SilentError, match="not done within 1 s"):
        run("127.0.0.1", int(mute.getsockname()[1]), limit_seconds=1.0)


def test_a_name_is_never_taken_for_an_option(tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    with pytest.raises(UnreachableError):
        run(f"-oProxyCommand=touch {trap}", 22)
    assert not trap.exists()


def test_passwords_that_a_killed_push_left_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    others = f"miniepo-push-{os.getppid()}-abc"
    for name in ("miniepo-push-abc", f"miniepo-push-{os.getpid()}-abc", others, "another"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "secret").write_text("a password")
    (tmp_path / "miniepo-push-link").symlink_to(tmp_path / "another")
    secure_shell.forget_leftovers()
    assert {path.name for path in tmp_path.iterdir()} == {"another", "miniepo-push-link", others}
    assert (tmp_path / "another" / "secret").exists()
