"""Calls of the server's Web API as shell text for the server node, and what their replies say (pure)."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from epolab.errors import WorldError

BASE = "https://localhost:8443/remote"
# the password goes to curl by a configuration on a pipe, never as an argument that a process list would show
_LOGIN = '-K <(printf \'user = "admin:%s"\' "$(cat /etc/miniepo/keys/admin.password)")'
CALL_LIMIT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that goes with a call, under the name of an argument: small content, or a path on the server's node."""

    argument: str
    name: str
    content: bytes = b""
    path: str | None = None


def shell_text(
    command: str,
    arguments: Mapping[str, str],
    upload: Upload | None = None,
    limit_seconds: float = CALL_LIMIT_SECONDS,
) -> str:
    """The shell command that makes a call on the server node and prints the reply, if it comes within the limit."""
    curl = f"curl -sS --max-time {limit_seconds:.0f} --cacert /etc/miniepo/ca.pem {_LOGIN}"
    words = {**arguments, ":output": "json"}
    if upload is None:
        fields = " ".join(f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in words.items())
        return f"bash -c {shlex.quote(f'{curl} -G {fields} {BASE}/{command}')}"
    form = " ".join(f"--form-string {shlex.quote(f'{name}={value}')}" for name, value in words.items())
    file = shlex.quote(f"{upload.argument}=@{upload.path or '-'};filename={upload.name}")
    if upload.path is not None:
        return f"bash -c {shlex.quote(f'{curl} {form} -F {file} {BASE}/{command}')}"
    data = base64.b64encode(upload.content).decode()
    return f"echo {data} | base64 -d | bash -c {shlex.quote(f'{curl} {form} -F {file} {BASE}/{command}')}"


def body_of(command: str, reply: str) -> Any:
    """The JSON body of a reply framed as `OK:` CR LF body (domain 7.2); WorldError for anything else."""
    if not reply.startswith("OK:"):
        raise WorldError(f"{command}: the server answered {reply.strip()[:400]!r}")
    return json.loads(reply[3:].strip() or "null")
