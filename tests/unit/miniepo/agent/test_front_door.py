"""What the wake-up port answers."""

import asyncio
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from miniepo.agent.enforcement import Enforcer
from miniepo.agent.front_door import FrontDoor
from miniepo.agent.log_page import LogPage
from miniepo.agent.nonces import NonceMemory
from miniepo.protocol import codec, signing
from miniepo.protocol.messages import Package, Policy, PolicySet, Wakeup
from miniepo.wire.http_request import Request
from miniepo.wire.http_response import Response
from tests.unit.miniepo.standins import ListedRole, SetClock, agent_config, request, state_directory

KEY = SigningKey(b"k" * 32)
ONLY_SERVER = PolicySet(
    version="1", policies=(Policy(category="agent", name="a", settings={"onlyServerConnections": True}),)
)


class Door:
    """A front door and what it let through."""

    def __init__(self, folder: Path, only_server: bool = False) -> None:
        self.woken: list[Wakeup] = []
        config, state = agent_config(folder), state_directory(folder)
        roles = [ListedRole()]
        enforcer = Enforcer(config, state, roles)
        enforcer.take(Package(policies=ONLY_SERVER if only_server else None))
        self._door = FrontDoor(
            config,
            state,
            enforcer,
            roles,
            LogPage(),
            KEY.verify_key,
            NonceMemory(state),
            self._addresses,
            self.woken.append,
            SetClock(5000.0),
        )

    async def _addresses(self) -> frozenset[str]:
        return frozenset({"10.1.0.10", "fd00:1::10"})

    def ask(self, asked: Request) -> Response:
        return asyncio.run(self._door.handle(asked))


def wakeup_body(nonce: str = "n-1") -> bytes:
    call = Wakeup(guid="GUID-1", wakeup_id="w-1")
    return signing.seal(codec.encode(call), KEY, sender="epo", recipient="GUID-1", issued_at=5000.0, nonce=nonce)


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def test_a_handlers_wakeup_is_accepted_once(door: Door) -> None:
    assert door.ask(request("POST", "/wakeup", wakeup_body())).status == 202
    assert door.woken == [Wakeup(guid="GUID-1", wakeup_id="w-1")]
    again = door.ask(request("POST", "/wakeup", wakeup_body()))
    assert again.status == 403 and b"seen before" in again.body
    assert door.ask(request("POST", "/wakeup", wakeup_body("n-2"), peer="fd00:1::10")).status == 202


def test_a_stranger_is_told_why_not(door: Door) -> None:
    refused = door.ask(request("POST", "/wakeup", wakeup_body(), peer="10.3.0.99"))
    assert refused.status == 403 and b"10.3.0.99 is no handler" in refused.body and door.woken == []


def test_an_overlong_wakeup_is_refused(door: Door) -> None:
    assert door.ask(request("POST", "/wakeup", b"x" * 70_000)).status == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 200), ("POST", "/", 405), ("GET", "/wakeup", 405), ("GET", "/x", 404), ("GET", "/listed", 200)],
)
def test_what_else_there_is(door: Door, method: str, path: str, status: int) -> None:
    assert door.ask(request(method, path, peer="10.3.0.99")).status == status


def test_the_page_can_be_closed_to_all_but_the_server(tmp_path: Path) -> None:
    closed = Door(tmp_path, only_server=True)
    assert closed.ask(request("GET", "/", peer="10.3.0.99")).status == 403
    page = closed.ask(request("GET", "/", peer="10.1.0.10"))
    assert page.status == 200 and b'AgentGUID="{GUID-1}"' in page.body
