"""The handler's web application: `/spipe/...` for envelopes, `/Software/...` for content, and 4.5 mode's notice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from miniepo import log
from miniepo.errors import CacheError, MessageError, StoreError
from miniepo.handler.exchange import Exchange
from miniepo.protocol.datachannel_forward import WORK_PATH
from miniepo.repository.serve import relative_path
from miniepo.wire.client_name import client_name
from miniepo.wire.https_server import BodyLimit
from miniepo.wire.stream import plain_address

PACKAGE_PATH = "/spipe/pkg"
CHANNEL_PATH = "/spipe/datachannel"
SECRET_PATHS = "/spipe/"
MAX_PACKAGE_BYTES = 4 * 1024 * 1024
_ENVELOPES = (PACKAGE_PATH, CHANNEL_PATH)
_logger = log.logger("handler.routes")

Endpoint = Callable[[Request], Awaitable[Response]]


class Content(Protocol):
    """Where files below `/Software/` come from."""

    async def file(self, relative: str) -> Path | None: ...


class SecretsOverTls:
    """Around the application: over plain HTTP only signed content is served, never envelopes."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["scheme"] != "https" and scope["path"].startswith(SECRET_PATHS):
            refusal = PlainTextResponse("agent-server communication is served over TLS only\n", 403)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def application(exchange: Exchange, content: Content, work: Endpoint, *, packages_on_http: bool = False) -> BodyLimit:
    """The whole application, the same for a built-in and a remote handler."""

    async def package(request: Request) -> Response:
        return await _answer_package(exchange, request)

    async def software(request: Request) -> Response:
        return await _answer_software(content, request)

    routes = [
        Route(PACKAGE_PATH, package, methods=["POST"]),
        Route(CHANNEL_PATH, package, methods=["POST"]),
        Route(WORK_PATH, work, methods=["POST"]),
        Route("/Software/{path:path}", software, methods=["GET", "HEAD"]),
    ]
    app: Any = Starlette(routes=routes)
    inner = app if packages_on_http else SecretsOverTls(app)
    return BodyLimit(inner, lambda path: MAX_PACKAGE_BYTES if path in _ENVELOPES else 0)


async def _answer_package(exchange: Exchange, request: Request) -> Response:
    """200 for every signed answer, refusals too; 400 for what is no envelope; 503 without a database."""
    remote_address = plain_address(request.client.host) if request.client else ""
    try:
        data = await request.body()
        answer = await exchange.answer(data, remote_address, client_name(request.scope))
        return Response(answer, media_type="application/json")
    except ClientDisconnect:
        return PlainTextResponse("the package was cut short\n", 400)
    except MessageError as error:
        return PlainTextResponse(f"{error}\n", 400)
    except StoreError as error:
        _logger.warning("cannot answer %s: %s", remote_address, error)
        return PlainTextResponse("the database does not answer; try another handler\n", 503)


async def _answer_software(content: Content, request: Request) -> Response:
    """The file, whole or the range asked for; 304 when the client has it already; 503 when the disk fails."""
    relative = relative_path(request.url.path)
    try:
        path = await content.file(relative) if relative is not None else None
        if path is None:
            return PlainTextResponse("not here\n", 404)
        response = FileResponse(path, stat_result=path.stat())
    except (CacheError, OSError) as error:
        _logger.warning("cannot serve %s: %s", relative, error)
        return PlainTextResponse("the disk does not keep it; try another handler\n", 503)
    if request.headers.get("if-none-match", "") == response.headers["etag"]:
        return Response(status_code=304, headers={"etag": response.headers["etag"]})
    return response
