"""A managed world whose server, handler and agents have a DataChannel, and what tests of Run Client Task Now ask it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from field import AgentProcess, free_port, until
from managed import Managed, open_managed

from miniepo import config
from miniepo.errors import WorldError

PRODUCT = "EPOAGENTMETA"
HANDLER = "epo"


class RunNowWorld:
    """One server, its handler, and the agents that a test starts."""

    def __init__(self, managed: Managed) -> None:
        self.managed = managed
        self.field = managed.field
        self.console = managed.console
        self._channel_port = free_port()
        self._tasks = 0
        self._extension = self.field.folder / "DCRedirect"
        self._extension.write_text("5.9.1\n")
        channel = {"port": self._channel_port, "redirect_file": str(self._extension)}
        self.server = managed.server(datachannel=channel)
        issued = self.field.authority.issue(f"DataChannelAH_{HANDLER}", ["localhost"])
        way = {
            "url": f"https://localhost:{self._channel_port}",
            "certificate": issued["certificate"],
            "key": issued["key"],
            "redirect_file": str(self._extension),
        }
        self.handler = self.field.handler(HANDLER, datachannel=way)

    def kill_server(self) -> None:
        """Kill the server and start it again; it answers when this returns."""
        self.server.kill()
        self.server.start()
        until(self._answers, what=f"the console answers again: {self.server.log}")

    def _answers(self) -> bool:
        try:
            return self.console.raw("miniepo.now").status == 200
        except WorldError:
            return False

    def agent(self, name: str, **more: Any) -> AgentProcess:
        """An agent that has called in; after that it is silent for an hour unless told otherwise."""
        agent = self.field.agent(name, **({"asci_seconds": 3600, "first_call_within_seconds": 0.1} | more))
        agent.until(lambda status: status["last_callin"])
        return agent

    def scan_task(self, name: str, files: int = 20, **settings: Any) -> int:
        """A task that scans a folder of its own; its number."""
        self._tasks += 1
        name = f"{name} {self._tasks}"
        folder = self.field.folder / f"scan-{self._tasks}"
        folder.mkdir()
        for number in range(files):
            (folder / f"{number}.bin").write_bytes(bytes(1000))
        task = {"name": name, "type": "scan", "settings": {"folder": str(folder), **settings}}
        rows = self.console.upload("clienttask.importClientTask", {"file": json.dumps([task]).encode()})
        return int(rows[0]["objectId"])

    def run(self, task_id: int, *names: str, **more: Any) -> int:
        """Run a task now; the AutoId of the log entry."""
        reply = self.console.json("clienttask.run", names=",".join(names), productId=PRODUCT, taskId=task_id, **more)
        assert reply == "Succeeded"
        return int(self.console.json("tasklog.listTaskHistory", taskName="Run Client Task Now", maxRows=1)[0]["id"])

    def subtasks(self, log_id: int) -> dict[str, dict[str, Any]]:
        """The subtasks by computer name."""
        return {row["computerName"]: row for row in self.console.json("tasklog.listSubtasks", taskLogId=log_id)}

    def ended(self, log_id: int, name: str, seconds: float = 15.0) -> dict[str, Any]:
        """One subtask when it is closed."""

        def closed() -> dict[str, Any] | None:
            row = self.subtasks(log_id)[name]
            return row if row["endDate"] else None

        return until(closed, seconds, f"{name} ends: {self.subtasks(log_id)[name]} {self.messages(log_id)}")

    def messages(self, log_id: int, name: str | None = None) -> list[str]:
        rows = self.console.json("tasklog.listMessages", taskLogId=log_id)
        return [row["message"] for row in rows if name is None or row["subtask"] == name]

    def attempts(self, log_id: int) -> list[str]:
        """What the handlers say about their attempts to tell the agents of a request."""
        batch = self.console.json("miniepo.watchRunNow", taskLogId=log_id)["batch"]
        return [row["message"] for row in self.console.json("miniepo.listChannelItems", batch=batch) if row["message"]]

    def entries(self) -> list[int]:
        rows = self.console.json("tasklog.listTaskHistory", taskName="Run Client Task Now")
        return [int(row["id"]) for row in rows]

    def entry(self, log_id: int) -> dict[str, Any]:
        rows = self.console.json("tasklog.listTaskHistory", taskName="Run Client Task Now")
        return next(dict(row) for row in rows if row["id"] == log_id)


@contextlib.contextmanager
def open_run_now(folder: Path, database: config.Database) -> Iterator[RunNowWorld]:
    """A world whose processes are gone afterwards."""
    with open_managed(folder, database) as managed:
        yield RunNowWorld(managed)


def segments(row: dict[str, Any]) -> tuple[str, str, str]:
    """Send, Start and Progress of a subtask."""
    return row["send"], row["start"], row["progress"]
