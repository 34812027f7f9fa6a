"""The handler's web application: `/spipe/pkg` for envelopes, `/Software/...` for content."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from miniepo import log
from miniepo.errors import MessageError, StoreError
from miniepo.handler.exchange import Exchange
from miniepo.repository.serve import relative_path
from miniepo.wire.https_server import BodyLimit
from miniepo.wire.stream import plain_address

PACKAGE_PATH = "/spipe/pkg"
MAX_PACKAGE_BYTES = 4 * 1024 * 1024
_logger = log.logger("handler.routes")


class Content(Protocol):
    """Where files below `/Software/` come from."""

    async def file(self, relative: str) -> Path | None: ...


def application(exchange: Exchange, content: Content) -> BodyLimit:
    """The whole application, the same for a built-in and a remote handler."""

    async def package(request: Request) -> Response:
        return await _answer_package(exchange, request)

    async def software(request: Request) -> Response:
        return await _answer_software(content, request)

    routes = [
        Route(PACKAGE_PATH, package, methods=["POST"]),
        Route("/Software/{path:path}", software, methods=["GET", "HEAD"]),
    ]
    return BodyLimit(Starlette(routes=routes), lambda path: MAX_PACKAGE_BYTES if path == PACKAGE_PATH else 0)


async def _answer_package(exchange: Exchange, request: Request) -> Response:
    """200 for every signed answer, refusals too; 400 for what is no envelope; 503 without a database."""
    remote_address = plain_address(request.client.host) if request.client else ""
    try:
        data = await request.body()
        return Response(await exchange.answer(data, remote_address), media_type="application/json")
    except ClientDisconnect:
        return PlainTextResponse("the package was cut short\n", 400)
    except MessageError as error:
        return PlainTextResponse(f"{error}\n", 400)
    except StoreError as error:
        _logger.warning("cannot answer %s: %s", remote_address, error)
        return PlainTextResponse("the database does not answer; try another handler\n", 503)


async def _answer_software(content: Content, request: Request) -> Response:
    """The file, whole or the range asked for; 304 when the client has it already."""
    relative = relative_path(request.url.path)
    path = await content.file(relative) if relative is not None else None
    if path is None:
        return PlainTextResponse("not here\n", 404)
    response = FileResponse(path, stat_result=path.stat())
    if request.headers.get("if-none-match", "") == response.headers["etag"]:
        return Response(status_code=304, headers={"etag": response.headers["etag"]})
    return response
