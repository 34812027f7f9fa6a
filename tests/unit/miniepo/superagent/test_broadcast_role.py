"""What a SuperAgent does with an order to wake its segment."""

import asyncio
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from miniepo.agent.alarm import Alarm
from miniepo.agent.nonces import NonceMemory
from miniepo.agent.settings import resolve
from miniepo.errors import ReplayedEnvelopeError
from miniepo.protocol.messages import Policy, PolicySet, Wakeup
from miniepo.protocol.segment import (
    PATH,
    SegmentWakeup,
    SuperAgentWakeup,
    seal_for_segment,
    seal_for_superagent,
)
from miniepo.superagent.broadcast_role import BroadcastRole
from miniepo.wire.http_request import Request
from miniepo.wire.http_response import Response
from tests.unit.miniepo.standins import SetClock, agent_config, request, state_directory

KEY = SigningKey(b"k" * 32)
HERE = "10.2.0.0/24"


def policies(enabled: bool) -> PolicySet:
    settings = {"enabled": enabled, "repository": False}
    return PolicySet(version="1", policies=(Policy(category="superagent", name="p", settings=settings),))


class SuperAgent:
    """A role, what it shouted and whom it woke."""

    def __init__(self, folder: Path, enabled: bool = True, sends: int = 2) -> None:
        self.shouted: list[tuple[bytes, str]] = []
        self.woken: list[Wakeup] = []
        self.sends = sends
        state, alarm = state_directory(folder), Alarm()
        alarm.connect(self.woken.append)
        self.nonces = NonceMemory(state)
        self.role = BroadcastRole(
            state, KEY.verify_key, self.nonces, SetClock(5000.0), self._handlers, alarm, self._shout
        )
        self.role.enforce(resolve(policies(enabled), agent_config(folder)))

    async def _handlers(self) -> frozenset[str]:
        return frozenset({"10.1.0.10"})

    def _shout(self, data: bytes, segment: str) -> int:
        self.shouted.append((data, segment))
        return self.sends

    def ask(self, asked: Request) -> Response | None:
        return asyncio.run(self.role.handle(asked))


def datagram() -> bytes:
    order = SegmentWakeup(wakeup_id="w-1", segment=HERE, full_props=True)
    return seal_for_segment(order, KEY, sender="epo", issued_at=5000.0, nonce="n")


def body(shouted: bytes | None = None, key: SigningKey = KEY) -> bytes:
    order = SuperAgentWakeup(
        guid="GUID-1", wakeup_id="w-1", datagram=datagram() if shouted is None else shouted, full_props=True
    )
    return seal_for_superagent(order, key, sender="epo", issued_at=5000.0, nonce="n-1")


def status(answer: Response | None) -> int:
    assert answer is not None
    return answer.status


def test_it_shouts_what_the_server_signed_and_calls_in_itself(tmp_path: Path) -> None:
    superagent = SuperAgent(tmp_path)
    assert status(superagent.ask(request("POST", PATH, body()))) == 202
    assert superagent.shouted == [(datagram(), HERE)]
    assert superagent.woken == [Wakeup(guid="GUID-1", wakeup_id="w-1", full_props=True)]


def test_its_own_broadcast_is_no_news_to_it(tmp_path: Path) -> None:
    superagent = SuperAgent(tmp_path)
    superagent.ask(request("POST", PATH, body()))
    with pytest.raises(ReplayedEnvelopeError):
        superagent.nonces.use("broadcast w-1", 5000.0)


def test_an_order_counts_once(tmp_path: Path) -> None:
    superagent = SuperAgent(tmp_path)
    superagent.ask(request("POST", PATH, body()))
    assert status(superagent.ask(request("POST", PATH, body()))) == 403
    assert len(superagent.shouted) == 1


@pytest.mark.parametrize(
    ("asked", "enabled", "expected"),
    [
        (request("POST", PATH, body(), peer="10.3.0.9"), True, 403),
        (request("POST", PATH, body(key=SigningKey(b"x" * 32))), True, 403),
        (request("POST", PATH, body(shouted=b"no envelope")), True, 403),
        (request("POST", PATH, body()), False, 403),
        (request("GET", PATH), True, 405),
    ],
    ids=["a stranger", "forged", "nothing to shout", "no SuperAgent", "another method"],
)
def test_nothing_else_is_shouted(tmp_path: Path, asked: Request, enabled: bool, expected: int) -> None:
    superagent = SuperAgent(tmp_path, enabled)
    assert status(superagent.ask(asked)) == expected
    assert superagent.shouted == [] and superagent.woken == []


def test_a_segment_that_it_is_not_on_is_told(tmp_path: Path) -> None:
    elsewhere = SuperAgent(tmp_path, sends=0)
    assert status(elsewhere.ask(request("POST", PATH, body()))) == 409
    assert len(elsewhere.woken) == 1, "it was called itself all the same"


def test_other_paths_are_left_to_others(tmp_path: Path) -> None:
    superagent = SuperAgent(tmp_path)
    assert superagent.ask(request("POST", "/wakeup", body())) is None
    assert superagent.role.active and superagent.role.properties() == {}
