"""Sent to a node and run there: who gets in at a handler's ports, and what it says to one connection too many.

Standard library only, Python 3.11 or later. Standard input is JSON
`{"address", "https": int, "http": int, "name": str, "ca": path, "own": [certificate, key], "foreign": PEM,
"limit": int, "timeout_s": float}`; standard output is JSON
`{"own", "nothing", "foreign", "plain", "content": SEEN, "crowd": SEEN | null, "later": SEEN | null}`, SEEN being
`{"status": int (0: no answer), "text": str, "retry_after": str}`. With a `limit` of 0 no crowd is made; else so many
connections are opened that say nothing, and `crowd` is what one more is told, `later` one after they have gone.
"""

import http.client
import json
import os
import selectors
import socket
import ssl
import sys
import tempfile
import time
from contextlib import ExitStack
from typing import Any

CONTENT = "/Software/SiteStat.xml"
PACKAGES = "/spipe/pkg"
LATER_SECONDS = 15.0
PAUSE_SECONDS = 0.25

Given = dict[str, Any]
Seen = dict[str, Any]


def ask_over_tls(given: Given, own: list[str]) -> Seen:
    """A request for content over TLS, with this certificate and key, or none."""
    try:
        context = ssl.create_default_context(cafile=given["ca"])
        if own:
            context.load_cert_chain(*own)
        with (
            socket.create_connection((given["address"], given["https"]), given["timeout_s"]) as sock,
            context.wrap_socket(sock, server_hostname=given["name"]) as secured,
        ):
            return answer_of(secured, given["name"], "GET", CONTENT, b"")
    except (OSError, http.client.HTTPException) as error:
        return nothing(error)


def ask_plainly(given: Given, method: str, path: str, body: bytes) -> Seen:
    try:
        with socket.create_connection((given["address"], given["http"]), given["timeout_s"]) as sock:
            return answer_of(sock, given["name"], method, path, body)
    except (OSError, http.client.HTTPException) as error:
        return nothing(error)


def answer_of(sock: socket.socket, name: str, method: str, path: str, body: bytes) -> Seen:
    connection = http.client.HTTPConnection(name)
    connection.sock = sock
    connection.request(method, path, body or None, {"Connection": "close"})
    answer = connection.getresponse()
    text = answer.read(2000).decode("utf-8", "replace").strip()
    return {"status": answer.status, "text": text, "retry_after": answer.headers.get("retry-after", "")}


def nothing(error: Exception) -> Seen:
    return {"status": 0, "text": f"{type(error).__name__}: {error}", "retry_after": ""}


def ask_with_foreign(given: Given) -> Seen:
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(given["foreign"])
        file.flush()
        return ask_over_tls(given, [file.name, file.name])


def crowd_in(given: Given, stack: ExitStack) -> None:
    """So many connections at once that say nothing; all of them stand, or one has failed."""
    family = socket.AF_INET6 if ":" in given["address"] else socket.AF_INET
    waiting = selectors.DefaultSelector()
    for _ in range(given["limit"]):
        sock = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        sock.setblocking(False)
        sock.connect_ex((given["address"], given["https"]))
        waiting.register(sock, selectors.EVENT_WRITE)
    end = time.monotonic() + given["timeout_s"]
    while waiting.get_map() and time.monotonic() < end:
        for key, _ in waiting.select(0.2):
            waiting.unregister(key.fileobj)
            error = key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # type: ignore[union-attr]
            if error:
                raise OSError(error, os.strerror(error))


def until_served(given: Given) -> Seen:
    """What a request is told once there is room again, or in the end."""
    end = time.monotonic() + LATER_SECONDS
    while (seen := ask_over_tls(given, given["own"]))["status"] in (0, 503) and time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)
    return seen


def make_crowd(given: Given) -> tuple[Seen, Seen]:
    try:
        with ExitStack() as stack:
            crowd_in(given, stack)
            one_more = ask_over_tls(given, given["own"])
    except OSError as error:
        one_more = nothing(error)
    return one_more, until_served(given)


def look(given: Given) -> dict[str, Any]:
    seen: dict[str, Any] = {
        "own": ask_over_tls(given, given["own"]),
        "nothing": ask_over_tls(given, []),
        "foreign": ask_with_foreign(given),
        "plain": ask_plainly(given, "POST", PACKAGES, b"{}"),
        "content": ask_plainly(given, "GET", CONTENT, b""),
        "crowd": None,
        "later": None,
    }
    if given["limit"]:
        seen["crowd"], seen["later"] = make_crowd(given)
    return seen


if __name__ == "__main__":
    json.dump(look(json.load(sys.stdin)), sys.stdout)
