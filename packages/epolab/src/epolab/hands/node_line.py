"""A kept ssh connection to a node: any number of commands at once over it, opened again when it was lost.

The program that leads to the node (OpenSSH's ProxyCommand) speaks through a socket, so that its end is the connection's
end: paramiko's own wrapper reads on for ever from a program that is gone. It is in a session of its own, because what
stops a command at a terminal goes to all programs there, and what was disturbed is put back over this connection.
"""

from __future__ import annotations

import shlex
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import paramiko
from testinfra.backend.base import BaseBackend, CommandResult

from epolab.errors import ToolMissingError

Answer = tuple[int, bytes, bytes]
Connect = Callable[[], paramiko.SSHClient]
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
"""So long a node has to answer; and so long a command is silent before its node is asked whether it still does."""
READ_BYTES = 65536
# the connection's end is seen by who uses it a moment before it is by itself
SETTLED_SECONDS = 0.5
_NO_STATUS = -1


def opened_pipe(argv: Sequence[str]) -> socket.socket:
    """A socket to the standard input and output of a program; closing it ends the input, and so the program."""
    ours, theirs = socket.socketpair()
    with theirs:
        end = theirs.fileno()
        try:
            program = subprocess.Popen(
                list(argv), stdin=end, stdout=end, stderr=subprocess.DEVNULL, start_new_session=True
            )
        except FileNotFoundError as error:
            ours.close()
            raise ToolMissingError(f"{argv[0]} is not installed") from error
    threading.Thread(target=program.wait, name=f"end of {argv[0]}", daemon=True).start()
    return ours


def connected(name: str, ssh_config: Path) -> paramiko.SSHClient:
    """A connection to the host of this name in an OpenSSH configuration."""
    with ssh_config.open() as file:
        config = paramiko.SSHConfig()
        config.parse(file)
    entry = config.lookup(name)
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.WarningPolicy())
    client.connect(
        entry["hostname"],
        username=entry["user"],
        key_filename=entry["identityfile"],
        sock=opened_pipe(shlex.split(entry["proxycommand"])),
        timeout=CONNECT_SECONDS,
        allow_agent=False,
        look_for_keys=False,
    )
    return client


class NodeLine:
    """One connection, made on first use."""

    def __init__(self, connect: Connect, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._connect, self._answer_seconds = connect, answer_seconds
        self._client: paramiko.SSHClient | None = None
        self._lock = threading.Lock()

    def run(self, command: bytes) -> Answer:
        """A command's exit code and output; SSHException, EOFError or OSError when the connection does not last."""
        transport, channel = self._opened()
        channel.settimeout(self._answer_seconds)
        self._begin(transport, channel, command)
        stdout, stderr = (self._read(transport, receive) for receive in (channel.recv, channel.recv_stderr))
        while not channel.status_event.wait(self._answer_seconds):
            self._ask(transport)
        status = channel.recv_exit_status()
        if status == _NO_STATUS:
            transport.join(SETTLED_SECONDS)
            if not transport.is_active():
                raise paramiko.SSHException("the connection ended before the command")
        return status, stdout, stderr

    def _begin(self, transport: paramiko.Transport, channel: paramiko.Channel, command: bytes) -> None:
        """Start a command: paramiko waits for the node's word without a limit, and hears the connection's end."""
        limit = threading.Timer(self._answer_seconds, transport.close)
        limit.start()
        try:
            channel.exec_command(command)
        finally:
            limit.cancel()

    def _read(self, transport: paramiko.Transport, receive: Callable[[int], bytes]) -> bytes:
        """All that comes until the end; a node that is silent must answer another question meanwhile."""
        parts: list[bytes] = []
        while True:
            try:
                part = receive(READ_BYTES)
            except TimeoutError:
                self._ask(transport)
                continue
            if not part:
                return b"".join(parts)
            parts.append(part)

    def _ask(self, transport: paramiko.Transport) -> None:
        """The connection is over when the node does not even answer that it has no further channel to give."""
        try:
            transport.open_session(timeout=self._answer_seconds).close()
        except paramiko.ChannelException:
            pass  # a refusal is an answer
        except (paramiko.SSHException, EOFError, OSError):
            self.close()
            raise

    def _opened(self) -> tuple[paramiko.Transport, paramiko.Channel]:
        """A channel for a command; over a new connection if this one turns out to be gone."""
        transport = self._transport()
        try:
            return transport, transport.open_session(timeout=self._answer_seconds)
        except paramiko.ChannelException:
            raise
        except (paramiko.SSHException, EOFError, OSError):
            transport.join(SETTLED_SECONDS)
            if transport.is_active():
                self.close()
                raise
        transport = self._transport()
        return transport, transport.open_session(timeout=self._answer_seconds)

    def _transport(self) -> paramiko.Transport:
        """The connection, if it is still there, else a new one."""
        with self._lock:
            transport = self._client.get_transport() if self._client else None
            if transport is None or not transport.is_active():
                self._end()
                self._client = self._connect()
                transport = self._client.get_transport()
        if transport is None:
            raise paramiko.SSHException("no connection")
        return transport

    def close(self) -> None:
        """End the connection, and what runs over it."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


class NodeBackend(BaseBackend):
    """How testinfra reaches a node."""

    NAME = "node"

    def __init__(self, name: str, ssh_config: Path) -> None:
        super().__init__(name)
        self.line = NodeLine(lambda: connected(name, ssh_config))

    def run(self, command: str, *args: str, **kwargs: Any) -> CommandResult:
        """Run a shell command."""
        data = self.encode(self.get_command(command, *args))
        status, stdout, stderr = self.line.run(data)
        return self.result(status, data, stdout, stderr)
