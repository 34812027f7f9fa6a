"""Both ends of TLS from PEM files, read again when the files change: certificates are renewed without a restart.

A file that cannot be used, for example while it is being written, changes nothing: the last good files stay in force
and are looked at again. Only new connections see new files.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from miniepo import config
from miniepo.clock import Clock, SystemClock
from miniepo.errors import ConfigError
from miniepo.log import logger

LOOK_AGAIN_SECONDS = 1.0

_Stamps = tuple[tuple[int, int, int] | None, ...]
_log = logger("wire.tls")


class TlsContext(Protocol):
    """What a connection is wrapped with."""

    def current(self) -> ssl.SSLContext: ...


class TlsFiles:
    """A TLS context that follows its files; raises ConfigError only when it is made."""

    def __init__(self, paths: tuple[str, ...], build: Callable[[], ssl.SSLContext], clock: Clock) -> None:
        self._paths = paths
        self._build = build
        self._clock = clock
        self._stamps = self._read_stamps()
        self._refused: _Stamps | None = None
        self._context = build()
        self._next_look = clock.monotonic() + LOOK_AGAIN_SECONDS

    def current(self) -> ssl.SSLContext:
        """The context of the files as they are now, looked at once a second at most."""
        if self._clock.monotonic() >= self._next_look:
            self._next_look = self._clock.monotonic() + LOOK_AGAIN_SECONDS
            self._follow(self._read_stamps())
        return self._context

    def _follow(self, stamps: _Stamps) -> None:
        if stamps == self._stamps:
            return
        try:
            self._context = self._build()
        except ConfigError as error:
            if stamps != self._refused:
                _log.warning("the certificates in force stay: %s", error)
            self._refused = stamps
            return
        self._stamps = stamps
        _log.info("certificates were read again: %s", ", ".join(self._paths))

    def _read_stamps(self) -> _Stamps:
        return tuple(_stamp(Path(path)) for path in self._paths)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_ino, status.st_size)


def client_context(ca: str | Path, certificate: str = "", key: str = "", clock: Clock | None = None) -> TlsFiles:
    """TLS towards servers whose certificate a CA in the PEM file `ca` has signed, with a certificate of one's own."""

    def build() -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=str(ca))
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"{ca}: cannot be used as a CA file: {error}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate:
            _load_own(context, certificate, key)
        return context

    return TlsFiles((str(ca), *filter(None, (certificate, key))), build, clock or SystemClock())


def server_context(files: config.Tls, *, verify_client: bool, clock: Clock | None = None) -> TlsFiles:
    """TLS of a listening port; with `verify_client` only clients with a certificate of the CA get through."""

    def build() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        _load_own(context, files.certificate, files.key)
        if verify_client:
            _trust(context, files.ca)
        return context

    return TlsFiles((files.certificate, files.key, files.ca), build, clock or SystemClock())


def _load_own(context: ssl.SSLContext, certificate: str, key: str) -> None:
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{certificate}, {key}: cannot be used as a certificate and its key: {error}") from error


def _trust(context: ssl.SSLContext, ca: str) -> None:
    try:
        context.load_verify_locations(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{ca}: cannot be used as a CA file: {error}") from error
    context.verify_mode = ssl.CERT_REQUIRED
