"""Answers on the wake-up port: the log page, wake-up calls, and whatever the agent's roles serve."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence

from nacl.signing import VerifyKey

from miniepo.agent import wakeup
from miniepo.agent.enforcement import Enforcer
from miniepo.agent.log_page import LogPage
from miniepo.agent.nonces import NonceMemory
from miniepo.agent.roles import Role
from miniepo.agent.state import StateDirectory
from miniepo.clock import Clock
from miniepo.config import AgentConfig
from miniepo.errors import RefusedError, WorldError
from miniepo.log import logger
from miniepo.protocol.messages import Wakeup
from miniepo.wire.http_request import Request
from miniepo.wire.http_response import Response

WAKEUP_BYTES = 64 * 1024

_log = logger("agent.front_door")


class FrontDoor:
    """Routes the requests that reach the agent."""

    def __init__(
        self,
        config: AgentConfig,
        state: StateDirectory,
        enforcer: Enforcer,
        roles: Sequence[Role],
        page: LogPage,
        server_key: VerifyKey,
        nonces: NonceMemory,
        handler_addresses: Callable[[], Awaitable[Collection[str]]],
        woken: Callable[[Wakeup], None],
        clock: Clock,
    ) -> None:
        self._config = config
        self._state = state
        self._enforcer = enforcer
        self._roles = roles
        self._page = page
        self._server_key = server_key
        self._nonces = nonces
        self._handler_addresses = handler_addresses
        self._woken = woken
        self._clock = clock

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        for role in self._roles:
            answer = await role.handle(request)
            if answer is not None:
                return answer
        if request.path == "/wakeup":
            return await self._wakeup(request)
        if request.path == "/":
            return await self._log_page(request)
        return Response(404, b"not here\n")

    async def _log_page(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return _not_allowed("GET, HEAD")
        if self._enforcer.settings.only_server_connections:
            try:
                wakeup.check_source(request.peer, await self._handler_addresses())
            except RefusedError as error:
                return _refusal(error)
        guid = self._state.registration.guid
        page = self._page.render(self._config.computer_name, self._config.version, guid)
        return Response(200, page.encode(), "text/xml; charset=utf-8")

    async def _wakeup(self, request: Request) -> Response:
        if request.method != "POST":
            return _not_allowed("POST")
        try:
            wakeup.check_source(request.peer, await self._handler_addresses())
            data = await request.body(WAKEUP_BYTES)
            guid = self._state.registration.guid
            call = wakeup.accept(data, guid, self._server_key, self._nonces, self._clock.now())
        except WorldError as error:
            _log.warning("wake-up from %s refused: %s", request.peer, error)
            return _refusal(error)
        _log.info("wake-up %s from %s", call.wakeup_id, request.peer)
        self._woken(call)
        return Response(202, b"accepted\n")


def _refusal(error: WorldError) -> Response:
    return Response(403, f"{error}\n".encode())


def _not_allowed(allow: str) -> Response:
    return Response(405, b"method not allowed\n", headers=(("Allow", allow),))
