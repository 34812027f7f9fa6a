"""The Web API as an ASGI application: who calls, which command, what comes back."""

from __future__ import annotations

import logging

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from miniepo import log
from miniepo.errors import CommandError, MiniepoError
from miniepo.server.api import framing
from miniepo.server.api.arguments import command_of, pairs_of, read_call
from miniepo.server.api.authentication import CHALLENGE, Authentication
from miniepo.server.api.commands import all_commands
from miniepo.server.api.registry import Registry
from miniepo.server.services import Services

MAX_BODY_BYTES = 512 * 1024 * 1024
WORLD_FAILED = 3
"""The error number of a command that failed for no fault of the caller ([uncertain] in the domain)."""

_logger = log.logger("server.api")


class WebApi:
    """Answers calls under `/remote/`."""

    def __init__(self, registry: Registry, authentication: Authentication) -> None:
        self._registry = registry
        self._authentication = authentication

    async def answer(self, request: Request) -> Response:
        """One call. Bad credentials are HTTP 401; every other failure is HTTP 200 and `Error n :` (domain §7.2)."""
        user = await self._authentication.user(request.headers.get("authorization"))
        if user is None:
            return PlainTextResponse("Unauthorized", 401, {"WWW-Authenticate": CHALLENGE})
        try:
            return _framed(framing.ok(await self._run(request, user)))
        except CommandError as error:
            return _framed(framing.error(error.code, str(error)))
        except MiniepoError as error:
            _logger.warning("%s failed: %s", command_of(request.url.path), error)
            return _framed(framing.error(WORLD_FAILED, str(error)))

    async def _run(self, request: Request, user: str) -> str:
        command = self._registry.find(command_of(request.url.path))
        pairs, files = await _body(request)
        call = read_call(
            request.url.path, [*pairs_of(request.url.query), *pairs], files, command.parameter_names
        ).made_by(user)
        _logger.log(logging.DEBUG, "%s calls %s", user, call.command)
        return framing.write(await command.run(call), call.output, command.element)


async def _body(request: Request) -> tuple[list[tuple[str, str]], dict[str, tuple[str, bytes]]]:
    """The words and the files of a form; other bodies are left alone."""
    if request.method != "POST" or "form" not in request.headers.get("content-type", ""):
        return [], {}
    if int(request.headers.get("content-length") or 0) > MAX_BODY_BYTES:
        raise CommandError(f"a body may have {MAX_BODY_BYTES} bytes at most")
    words: list[tuple[str, str]] = []
    files: dict[str, tuple[str, bytes]] = {}
    try:
        async with request.form(max_files=20, max_fields=200) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    files[name] = (value.filename or name, await value.read())
                else:
                    words.append((name, value))
    except MultiPartException as error:
        raise CommandError(f"the form cannot be read: {error}") from error
    return words, files


def _framed(text: str) -> Response:
    return Response(text.encode(), media_type=None, headers={"Content-Type": framing.CONTENT_TYPE})


def remote_app(services: Services) -> Starlette:
    """The application to serve on the console port."""
    authentication = Authentication(services.store, services.clock, services.entropy)
    api = WebApi(all_commands(services, authentication), authentication)
    return Starlette(routes=[Route("/remote/{path:path}", api.answer, methods=["GET", "POST"])])
