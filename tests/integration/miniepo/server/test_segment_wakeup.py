"""A SuperAgent wake-up across a real segment: server, handler, SuperAgent, broadcast, and what is refused."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from field import AgentProcess, until
from managed import Managed, open_managed
from nacl.signing import SigningKey
from segments import Segments, ip, open_segments

from miniepo import config
from miniepo.clock import SystemEntropy
from miniepo.protocol.segment import SegmentWakeup, seal_for_segment
from miniepo.server.wakeup_plan import is_superagent

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
]

LAN = "10.77.1.0/24"
SHOUT = """
import socket, sys
data = bytes.fromhex(sys.argv[2])
if sys.argv[1] == "4":
    mouth, where = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), ("10.77.1.255", 8082)
    mouth.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
else:
    mouth = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    where = ("ff02::6d65", 8082, 0, socket.if_nametoindex("eth0"))
mouth.sendto(data, where)
"""


@dataclass
class Place:
    """A server side on one segment; on the other a SuperAgent and an agent that the handler could call, too."""

    managed: Managed
    segments: Segments
    superagent: AgentProcess
    agent: AgentProcess

    def shout(self, family: int, wakeup_id: str, key: SigningKey | None = None, segment: str = LAN) -> bytes:
        """Say a wake-up to the segment, from a node that has no business to."""
        order = SegmentWakeup(wakeup_id=wakeup_id, segment=segment)
        nonce = SystemEntropy().nonce()
        key = key or self.managed.field.key
        data = seal_for_segment(order, key, sender="hq/epo", issued_at=time.time(), nonce=nonce)
        self.repeat(family, data)
        return data

    def repeat(self, family: int, data: bytes) -> None:
        argv = ["nsenter", f"--net=/run/netns/{self.segments.pc}", sys.executable, "-c", SHOUT, str(family), data.hex()]
        subprocess.run(argv, check=True, timeout=30)

    def callins(self, name: str, wakeup_id: str) -> int:
        rows = self.managed.console.json("miniepo.listCallins", name=name)
        return len([row for row in rows if row["wakeup_id"] == wakeup_id])


@pytest.fixture
def place(tmp_path: Path, database: config.Database) -> Iterator[Place]:
    with open_segments() as segments, open_managed(tmp_path, database) as managed:
        for number in (21, 22):
            ip("-n", segments.server, "route", "add", f"10.77.1.{number}", "via", f"10.77.2.{number}")
        managed.server()
        managed.field.handler("hq/epo", "10.77.2.10", segments.server, fqdn="10.77.2.10")
        agents = [
            managed.field.agent(name, 8081, namespace, fqdn=fqdn, asci_seconds=600, listen=["0.0.0.0", "::"])
            for name, namespace, fqdn in (
                ("sa-1", segments.relay_1, "10.77.1.21"),
                ("pc-2", segments.relay_2, "10.77.1.22"),
            )
        ]
        for agent in agents:
            agent.until(lambda status: status.get("last_handler"))
        managed.field.assign(agents[0], "superagent", {"enabled": True, "repository": False})
        managed.console.json("system.wakeupAgent", names="sa-1")
        agents[0].until(lambda status: status["roles"].get("broadcast"))
        until(lambda: superagents(managed) == ["sa-1"], what="the server knows of the SuperAgent")
        yield Place(managed, segments, *agents)


def superagents(managed: Managed) -> list[str]:
    systems = managed.field.store(lambda store: store.systems.all())
    return [system.name for system in systems if is_superagent(system)]


def test_a_segment_is_woken_by_its_superagent_and_told_system_by_system(place: Place) -> None:
    console = place.managed.console
    reply = console.json("system.wakeupAgent", names="sa-1,pc-2", superAgent="true", abortAfterMinutes="0.2")
    assert reply == "completed: 2\nfailed: 0\nexpired: 0"
    (entry,) = console.json("tasklog.listTaskHistory", taskName="Wake Up Agents", maxRows="1")
    states = {row["computerName"]: row["state"] for row in console.json("tasklog.listSubtasks", taskLogId=entry["id"])}
    assert states == {"10.77.1.21": "Completed", "10.77.1.22": "Completed"} and entry["state"] == "Completed"
    status = place.agent.until(lambda status: status["last_callin_reason"] == "wakeup")
    assert place.callins("pc-2", status["last_wakeup_id"]) == 1 == place.callins("sa-1", status["last_wakeup_id"])
    assert "POST /wakeup" not in place.agent.process.text(), "nobody called it directly"


@pytest.mark.parametrize("family", [4, 6])
def test_each_family_carries_a_broadcast_and_a_replay_is_refused(place: Place, family: int) -> None:
    data = place.shout(family, f"w-{family}")
    place.agent.until(lambda status: status["last_wakeup_id"] == f"w-{family}", 5)

    def refused() -> bool:
        """Sent again: at first it may pass for the other family's copy of the same broadcast."""
        place.repeat(family, data)
        return "refused: the nonce was seen before" in place.agent.process.text()

    until(refused, 10)
    assert place.callins("pc-2", f"w-{family}") == 1


def test_forged_broadcasts_and_other_segments_are_refused(place: Place) -> None:
    place.shout(4, "forged", SigningKey.generate())
    until(lambda: "the signature is not that of 'hq/epo'" in place.agent.process.text(), 5)
    place.shout(6, "foreign", segment="10.9.0.0/24")
    until(lambda: "the broadcast is for segment 10.9.0.0/24" in place.agent.process.text(), 5)
    place.shout(4, "real")
    place.agent.until(lambda status: status["last_wakeup_id"] == "real", 5)
    assert place.callins("pc-2", "forged") == place.callins("pc-2", "foreign") == 0


def test_who_hears_nothing_is_expired_and_a_superagent_that_is_gone_fails_them_all(place: Place) -> None:
    console = place.managed.console
    place.agent.process.kill()
    reply = console.json("system.wakeupAgent", names="pc-2", superAgent="true", abortAfterMinutes="0.1")
    assert reply == "completed: 1\nfailed: 0\nexpired: 1"
    place.superagent.process.kill()
    reply = console.json("system.wakeupAgent", names="pc-2", superAgent="true", abortAfterMinutes="0.5")
    assert reply == "completed: 0\nfailed: 2\nexpired: 0"
    (entry,) = console.json("tasklog.listTaskHistory", taskName="Wake Up Agents", maxRows="1")
    lines = {row["subtask"]: row["message"] for row in console.json("tasklog.listMessages", taskLogId=entry["id"])}
    assert "no SuperAgent of its segment was reached" in lines["10.77.1.22"], lines
    assert "could not wake sa-1" in lines["10.77.1.21"], lines
