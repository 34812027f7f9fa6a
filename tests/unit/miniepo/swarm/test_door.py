"""The one wake-up port of a swarm."""

import asyncio

from nacl.signing import SigningKey

from miniepo.agent.log_page import LogPage
from miniepo.protocol import codec, signing
from miniepo.protocol.messages import Wakeup
from miniepo.swarm.door import SwarmDoor
from miniepo.wire.http_request import Request
from miniepo.wire.http_response import Response
from tests.unit.miniepo.standins import request

KEY = SigningKey(b"k" * 32)


class Notes:
    """An agent's door that notes what comes through it."""

    def __init__(self, status: int = 202) -> None:
        self.status = status
        self.bodies: list[bytes] = []

    async def handle(self, request: Request) -> Response:
        self.bodies.append(await request.body(100_000))
        return Response(self.status, b"the agent says so")


def sealed(recipient: str) -> bytes:
    call = codec.encode(Wakeup(guid=recipient, wakeup_id="w-1"))
    return signing.seal(call, KEY, sender="epo", recipient=recipient, issued_at=5.0, nonce="n-1")


def ask(doors: dict[str, Notes], asked: Request) -> Response:
    return asyncio.run(SwarmDoor(doors, LogPage(), "crowd", "5.0.0").handle(asked))


def test_an_envelope_goes_whole_to_the_agent_that_it_is_for() -> None:
    doors = {"GUID-1": Notes(), "GUID-2": Notes()}
    answer = ask(doors, request("POST", "/wakeup", sealed("GUID-2")))
    assert (answer.status, answer.body) == (202, b"the agent says so")
    assert doors["GUID-2"].bodies == [sealed("GUID-2")] and doors["GUID-1"].bodies == []
    assert ask(doors, request("POST", "/datachannel", sealed("GUID-1"))).status == 202


def test_what_is_for_nobody_is_refused() -> None:
    doors = {"GUID-1": Notes()}
    assert ask(doors, request("POST", "/wakeup", sealed("GUID-9"))).status == 403
    assert ask(doors, request("POST", "/wakeup", b"hello")).status == 403
    assert ask(doors, request("POST", "/wakeup", b"x" * 70_000)).status == 403
    assert ask(doors, request("GET", "/wakeup")).status == 405
    assert doors["GUID-1"].bodies == []


def test_the_page_is_the_swarms_and_is_closed_when_the_first_agent_closes_it() -> None:
    page = ask({"GUID-1": Notes(200)}, request("GET", "/"))
    assert page.status == 200 and b'ComputerName="crowd"' in page.body and b'AgentGUID="{GUID-1}"' in page.body
    assert ask({"GUID-1": Notes(403)}, request("GET", "/")).status == 403
    assert ask({}, request("GET", "/")).status == 404
