"""Sent to a node and run there: who gets in at a handler's ports, and what it says to one connection too many.

Standard library only, Python 3.11 or later. Standard input is JSON
`{"address", "https": int, "http": int, "name": str, "ca": path, "own": [certificate, key], "foreign": PEM,
"limit": int, "meanwhile": str, "timeout_s": float}`; standard output is JSON
`{"own", "nothing", "foreign", "plain", "content": SEEN, "held": int, "crowd": SEEN | null, "later": SEEN | null,
"meanwhile": str}`, SEEN being `{"status": int (0: no answer), "text": str, "retry_after": str}`. With a `limit` of 0 no
crowd is made. Else connections are brought up, each with its handshake and an answered request, until one is refused or
one more than the limit is served: `held` of them were served and kept at the same time, `crowd` is what the one after
them was told, `later` what one is told after they have gone. While they stand, the agents of this node are told to call
in, if `meanwhile` is the path of their control socket; what they reply is told, a line of JSON.
"""

import http.client
import json
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

CONTENT = "/Software/SiteStat.xml"
PACKAGES = "/spipe/pkg"
LATER_SECONDS = 15.0
PAUSE_SECONDS = 0.25
SERVED, REFUSED = (200, 404), 503
AT_ONCE = 32
ASK_AGAIN_SECONDS = 5.0
STILL_SECONDS = 5.0
CROWD_SECONDS = 90.0
MEANWHILE_SECONDS = 60.0

Given = dict[str, Any]
Seen = dict[str, Any]


def context_of(given: Given, own: list[str]) -> ssl.SSLContext:
    """Who shows this certificate, or none, and believes the lab's CA."""
    context = ssl.create_default_context(cafile=given["ca"])
    if own:
        context.load_cert_chain(*own)
    return context


def secured_to(given: Given, context: ssl.SSLContext) -> ssl.SSLSocket:
    """A TLS connection to the handler."""
    sock = socket.create_connection((given["address"], given["https"]), given["timeout_s"])
    try:
        return context.wrap_socket(sock, server_hostname=given["name"])
    except OSError:
        sock.close()
        raise


def ask_over_tls(given: Given, own: list[str]) -> Seen:
    """A request for content over TLS, with this certificate and key, or none."""
    try:
        with secured_to(given, context_of(given, own)) as secured:
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
    return exchange(connection_over(sock, name), method, path, body, {"Connection": "close"})


def connection_over(sock: socket.socket, name: str) -> http.client.HTTPConnection:
    """HTTP over a socket; it makes no other one when that is closed."""
    connection = http.client.HTTPConnection(name)
    connection.sock, connection.auto_open = sock, 0
    return connection


def exchange(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: dict[str, str]
) -> Seen:
    connection.request(method, path, body or None, headers)
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


class Crowd:
    """Connections that a handler serves at the same time, kept by a request now and then."""

    def __init__(self, given: Given, still_seconds: float = STILL_SECONDS) -> None:
        self._given = given
        self._still_seconds = still_seconds
        self._context = context_of(given, given["own"])
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self.connections: list[http.client.HTTPConnection] = []
        self.told: Seen = nothing(TimeoutError("no connection was tried"))

    @property
    def held(self) -> int:
        """How many were served when they were asked last."""
        return len(self.connections)

    def gather(self) -> None:
        """Come in until the handler is full, or has let in one too many.

        Somebody else may hold connections for a moment. So it is full when it has refused and the crowd is as large as
        it may be, or grows no more for a while; or when the time is over.
        """
        limit = self._given["limit"]
        grew = asked = began = time.monotonic()
        while time.monotonic() < min(grew + self._still_seconds, began + CROWD_SECONDS):
            before = self.held
            self._come(min(AT_ONCE, limit + 1 - before))
            if self.held > before:
                grew = time.monotonic()
            enough = self.held > limit or (self.held == limit and self.told["status"] == REFUSED)
            began_to_ask = time.monotonic()
            if enough or began_to_ask > asked + ASK_AGAIN_SECONDS:
                self.ask_again()
                asked = time.monotonic()
                grew += asked - began_to_ask
            if enough and self.held >= limit:
                break
        else:
            self.ask_again()

    def _come(self, number: int) -> None:
        """So many more at once; who is served stays, and what the last one was told who was not is noted."""
        for connection, told in self._pool.map(lambda _: enter(self._given, self._context), range(number)):
            if connection is not None:
                self.connections.append(connection)
            if connection is None or self.held > self._given["limit"]:
                self.told = told

    def ask_again(self) -> None:
        """Who is not answered any more is no part of the crowd."""
        answered = list(self._pool.map(is_served, self.connections))
        for connection, stays in zip(self.connections, answered, strict=True):
            if not stays:
                connection.close()
        self.connections = [connection for connection, stays in zip(self.connections, answered, strict=True) if stays]

    def stay_for(self, work: Callable[[], str]) -> str:
        """What a work gives that others do meanwhile; a handler closes connections on which nothing is asked."""
        with ThreadPoolExecutor(1) as others:
            done = others.submit(work)
            while wait([done], timeout=ASK_AGAIN_SECONDS).not_done:
                list(self._pool.map(is_served, self.connections))
        return done.result()

    def leave(self) -> None:
        """All go."""
        for connection in self.connections:
            connection.close()
        self._pool.shutdown()


def enter(given: Given, context: ssl.SSLContext) -> tuple[http.client.HTTPConnection | None, Seen]:
    """One more connection, if it is served, and what it was told."""
    connection = None
    try:
        secured = secured_to(given, context)
        connection = connection_over(secured, given["name"])
        told = exchange(connection, "GET", CONTENT, b"", {})
    except (OSError, http.client.HTTPException) as error:
        told = nothing(error)
    if told["status"] in SERVED:
        return connection, told
    if connection is not None:
        connection.close()
    return None, told


def is_served(connection: http.client.HTTPConnection) -> bool:
    """Whether another request over this connection is answered."""
    try:
        return exchange(connection, "GET", CONTENT, b"", {})["status"] in SERVED
    except (OSError, http.client.HTTPException):
        return False


def until_served(given: Given) -> Seen:
    """What a request is told once there is room again, or in the end."""
    end = time.monotonic() + LATER_SECONDS
    while (seen := ask_over_tls(given, given["own"]))["status"] in (0, 503) and time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)
    return seen


def make_crowd(given: Given) -> Seen:
    """The handler is full for a moment: what is seen of it, and of the agents that call in then."""
    crowd = Crowd(given)
    try:
        crowd.gather()
        said = crowd.stay_for(lambda: called_in(given["meanwhile"])) if given["meanwhile"] else ""
    finally:
        crowd.leave()
    return {"held": crowd.held, "crowd": crowd.told, "later": until_served(given), "meanwhile": said}


def called_in(path: str) -> str:
    """What the agents behind a control socket reply when they have called in, or what keeps them from it."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(MEANWHILE_SECONDS)
            sock.connect(path)
            sock.sendall(b'{"order": "callin"}\n')
            return sock.makefile("r", encoding="utf-8").readline().strip()
    except OSError as error:
        return f"{type(error).__name__}: {error}"


def look(given: Given) -> dict[str, Any]:
    seen: dict[str, Any] = {
        "own": ask_over_tls(given, given["own"]),
        "nothing": ask_over_tls(given, []),
        "foreign": ask_with_foreign(given),
        "plain": ask_plainly(given, "POST", PACKAGES, b"{}"),
        "content": ask_plainly(given, "GET", CONTENT, b""),
        "held": 0,
        "crowd": None,
        "later": None,
        "meanwhile": "",
    }
    return seen | make_crowd(given) if given["limit"] else seen


if __name__ == "__main__":
    json.dump(look(json.load(sys.stdin)), sys.stdout)
