"""Which file of a repository a request path names: never one outside its root, never a hidden one."""

from __future__ import annotations

from pathlib import Path

from miniepo.protocol.content import is_plain_name
from miniepo.wire.http_response import Response

PREFIX = "/Software/"
MAX_PATH_BYTES = 2048
"""The system takes twice that, with the repository's root before it."""
_TYPES = {".xml": "text/xml; charset=utf-8", ".log": "text/plain; charset=utf-8", ".ini": "text/plain; charset=utf-8"}


def relative_path(request_path: str) -> str | None:
    """The path below the repository's root, None if the request is for nothing that may be served."""
    if not request_path.startswith(PREFIX) or len(request_path.encode("utf-8", "replace")) > MAX_PATH_BYTES:
        return None
    parts = request_path[len(PREFIX) :].split("/")
    return "/".join(parts) if all(is_plain_name(part) and not part.startswith(".") for part in parts) else None


def answer(root: Path, request_path: str) -> Response:
    """The file that a GET names, or 404."""
    relative = relative_path(request_path)
    path = root / relative if relative is not None else None
    if path is None or not path.is_file() or path.is_symlink():
        return Response(404, b"not here\n")
    return Response(200, content_type=_TYPES.get(path.suffix, "application/octet-stream"), file=path)
