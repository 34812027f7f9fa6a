"""What a relay still holds after a transfer, and that the transfer was seen."""

import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import cast

import pytest

from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.relay_ends import HELD_ROUNDS, busy, disconnects
from epolab.verify.witness import Witness

TOPOLOGIES = Path(__file__).parents[4] / "topologies"
QUICKSTART = load_topology(TOPOLOGIES / "quickstart.yaml")
RELAY = facts.relays(QUICKSTART)[0]
USERS = 'users:(("cmamesh",pid=7,fd=9))'
CLIENT = f"{QUICKSTART.node('india/india-pc-1').ipv4} 40000"
NEAR = f"ESTAB 0 0 {RELAY.ipv4}:8081 [::ffff:{CLIENT.replace(' ', ']:')} {USERS}"
FAR = f"ESTAB 0 0 {RELAY.ipv4}:51000 10.1.0.10:443 {USERS}"
HALF_ENDED = FAR.replace("ESTAB", "CLOSE-WAIT")
OVER, OTHER = "TIME-WAIT 0 0 10.5.0.2:8083 10.5.0.9:40001", 'ESTAB 0 0 a:1 b:2 users:(("cmdagent",pid=8,fd=3))'


class Relay:
    """A relay with these connections while a transfer goes through it, and those afterwards, beside ones of others."""

    absent: Collection[str] = ()

    def __init__(
        self, meanwhile: Sequence[str], afterwards: Sequence[str], text: str = CLIENT, ok: bool = True
    ) -> None:
        self.meanwhile, self.afterwards = meanwhile, afterwards
        self.said = {"ok": ok, "code": "" if ok else "not-listed", "text": text, "certificate": ""}
        self.asked: list[float] = []
        self._looked = threading.Event()
        self._goes_on = False

    def python(self, path: str, program: str, asks: list[dict[str, float]]) -> list[dict[str, object]]:
        assert path == "india/india-pc-1" and "ask_relay" in program
        self.asked += [ask["hold_s"] for ask in asks]
        self._goes_on = True
        self._looked.clear()
        assert self._looked.wait(5)
        self._goes_on = False
        return [self.said]

    def must(self, path: str, command: str) -> str:
        assert path == RELAY.path and command.endswith("state connected")
        lines = self.meanwhile if self._goes_on else self.afterwards
        self._looked.set()
        return "\n".join((OVER, OTHER, *lines))


def left(relay: object, limit_seconds: float = 0.05) -> list[str]:
    return disconnects(cast(Witness, relay), QUICKSTART, RELAY, limit_seconds)


def test_a_relay_that_ends_what_it_held_for_a_transfer_is_right() -> None:
    relay = Relay([NEAR, FAR], [])
    assert left(relay) == [] and len(relay.asked) == 1 and relay.asked[0] > 0


def test_a_connection_that_one_side_alone_has_ended_is_still_held() -> None:
    relay = Relay([NEAR, FAR], [HALF_ENDED])
    assert busy(cast(Witness, relay), RELAY.path) == left(relay) == [HALF_ENDED]


@pytest.mark.parametrize("meanwhile", [[], [NEAR], [FAR], [NEAR.replace("40000", "40007"), FAR]])
def test_a_relay_that_was_not_seen_to_hold_the_transfer_has_not_ended_it(meanwhile: list[str]) -> None:
    relay = Relay(meanwhile, [])
    (told,) = left(relay)
    assert "no transfer of india/india-pc-1" in told and len(relay.asked) == HELD_ROUNDS


def test_a_relay_that_refuses_the_transfer_has_not_ended_it() -> None:
    (told,) = left(Relay([NEAR, FAR], [], "no site of it", ok=False))
    assert "(no site of it) was seen" in told


class BusyRelay(Relay):
    """A relay that always holds a connection, each time another one."""

    port = 50000

    def must(self, path: str, command: str) -> str:
        self.port += 1
        return super().must(path, command) + "\n" + NEAR.replace("40000", str(self.port))


def test_a_relay_that_is_never_without_any_connection_ends_each_of_them() -> None:
    assert left(BusyRelay([NEAR, FAR], []), 5.0) == []
