"""A miniepo component as a process of its own, on ports of its own, for tests."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import msgspec


class Component:
    """`python -m miniepo <component> --config FILE`, with its log in a file."""

    def __init__(self, name: str, settings: object, directory: Path) -> None:
        self.name = name
        self._config = directory / f"{name}.json"
        self._config.write_bytes(msgspec.json.encode(settings))
        self._log_path = directory / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return self._log_path.read_text(encoding="utf-8", errors="replace")

    def start(self, *ports: int) -> None:
        """Start it and wait until these ports answer."""
        with self._log_path.open("ab") as log:
            argv = [sys.executable, "-m", "miniepo", self.name.partition("-")[0], "--config", str(self._config)]
            self._process = subprocess.Popen(argv, stdout=log, stderr=log)
        for port in ports:
            self._until_open(port)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def _until_open(self, port: int, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self._process is not None
            assert self._process.poll() is None, f"{self.name} ended: {self.log}"
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"{self.name} does not listen on {port}: {self.log}")


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on right now, in both families."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports
