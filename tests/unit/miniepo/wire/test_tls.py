"""A TLS context follows its files, and keeps the last good ones while new ones are being written."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from miniepo import config
from miniepo.errors import ConfigError
from miniepo.wire.tls import LOOK_AGAIN_SECONDS, TlsFiles, client_context, server_context
from tests.unit.miniepo.standins import SetClock


class Built:
    """Contexts as they are built, and whether the next one can be."""

    def __init__(self) -> None:
        self.made: list[ssl.SSLContext] = []
        self.fails = False

    def __call__(self) -> ssl.SSLContext:
        if self.fails:
            raise ConfigError("half a key")
        self.made.append(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        return self.made[-1]


def test_files_that_change_are_read_again_but_not_at_every_connection(tmp_path: Path) -> None:
    path, clock, built = tmp_path / "node.pem", SetClock(), Built()
    path.write_text("one")
    files = TlsFiles((str(path),), built, clock)
    path.write_text("two, longer")
    assert files.current() is built.made[0]
    clock.at += LOOK_AGAIN_SECONDS
    assert files.current() is built.made[1]
    clock.at += LOOK_AGAIN_SECONDS
    assert files.current() is built.made[1] and len(built.made) == 2


def test_files_that_cannot_be_used_leave_the_last_good_ones_in_force(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, clock, built = tmp_path / "node.key", SetClock(), Built()
    path.write_text("one")
    files = TlsFiles((str(path),), built, clock)
    path.unlink()
    built.fails = True
    for _ in range(3):
        clock.at += LOOK_AGAIN_SECONDS
        assert files.current() is built.made[0]
    assert [record.message for record in caplog.records] == ["the certificates in force stay: half a key"]
    path.write_text("whole")
    built.fails = False
    clock.at += LOOK_AGAIN_SECONDS
    assert files.current() is built.made[1]


def test_what_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    x = str(tmp_path / "x.pem")
    with pytest.raises(ConfigError, match=r"x\.pem: cannot be used as a CA file"):
        client_context(x)
    with pytest.raises(ConfigError, match=r"x\.pem, .*: cannot be used as a certificate and its key"):
        server_context(config.Tls(certificate=x, key=x, ca=x), verify_client=True)
