"""The one wake-up port of a swarm: who is meant is in the envelope, so each request goes to that agent's own door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from miniepo.agent.front_door import WAKEUP_BYTES
from miniepo.agent.log_page import LogPage
from miniepo.errors import WorldError
from miniepo.log import logger
from miniepo.protocol import signing
from miniepo.wire.http_request import Request
from miniepo.wire.http_response import Response

_log = logger("swarm.door")


class Answers(Protocol):
    """What an agent's front door is to this one."""

    async def handle(self, request: Request) -> Response: ...


class SwarmDoor:
    """Routes what reaches the port. `doors` are by GUID; the log page is the swarm's, with the first agent's GUID."""

    def __init__(self, doors: Mapping[str, Answers], page: LogPage, name: str, version: str) -> None:
        self._doors = doors
        self._page = page
        self._name = name
        self._version = version

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        if request.path == "/":
            guid = next(iter(self._doors), "")
            return await self._first_says_no(request, guid) or self._log_page(guid)
        if request.method != "POST":
            return Response(405, b"method not allowed\n", headers=(("Allow", "POST"),))
        try:
            body = await request.body(WAKEUP_BYTES)
            guid = signing.open_envelope(body).recipient
        except WorldError as error:
            _log.warning("%s from %s refused: %s", request.path, request.peer, error)
            return Response(403, f"{error}\n".encode())
        door = self._doors.get(guid)
        if door is None:
            return Response(403, b"the envelope is for no agent of this swarm\n")
        return await door.handle(again(request, body))

    async def _first_says_no(self, request: Request, guid: str) -> Response | None:
        """An agent's refusal of the page; its own page is not wanted here."""
        door = self._doors.get(guid)
        answer = await door.handle(request) if door is not None else Response(404, b"no agent yet\n")
        return answer if answer.status != 200 else None

    def _log_page(self, guid: str) -> Response:
        page = self._page.render(self._name, self._version, guid)
        return Response(200, page.encode(), "text/xml; charset=utf-8")


def again(request: Request, body: bytes) -> Request:
    """The request once more, its body unread."""
    rest = [body]

    async def pieces() -> bytes | None:
        return rest.pop() if rest else None

    return replace(request, pieces=pieces, ended=False)
