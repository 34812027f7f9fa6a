"""Sent to a node and run there: asks relays to forward to sites, all at once, and prints what came of it.

Standard library only, Python 3.11 or later. Standard input is a JSON list of
`{"relay": address, "port": int, "connect": "host:port", "tls": server name | "", "ca": path, "own": [certificate, key],
"timeout_s": float, "hold_s": float}`; standard output is a JSON list of
`{"ok": bool, "code": str, "text": str, "certificate": SHA-256}` in the same order; without TLS there is no certificate.
`ok` means that the relay agreed and that the site behind it spoke: with a certificate of the CA that names it, or by
HTTP where no TLS is asked. Where something is to be held (seconds other than 0) nothing is said, and `text` is the
client's end of the connection, address and port.
`code` is the relay's own reason for a refusal, or empty when the relay gave none.
"""

import contextlib
import hashlib
import json
import socket
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Ask = dict[str, Any]
Said = dict[str, Any]


def read_line(sock: socket.socket) -> bytes:
    """The relay's line, and not a byte of what follows it."""
    line = b""
    while not line.endswith(b"\n"):
        byte = sock.recv(1)
        if not byte:
            raise ConnectionError("the relay closed without an answer")
        line += byte
    return line


def hold(sock: socket.socket, seconds: float) -> str:
    """Let nothing pass for so long; the end of the connection that is held."""
    sock.settimeout(seconds)
    with contextlib.suppress(TimeoutError):
        if not sock.recv(1):
            raise ConnectionError("the relay ended what was held")
    address, port = sock.getsockname()[:2]
    return f"{address} {port}"


def speak(sock: socket.socket, ask: Ask) -> tuple[str, str]:
    """Let the site say something; how it introduced itself, and its certificate. A site that ends ends both sides."""
    if ask["hold_s"]:
        return hold(sock, ask["hold_s"]), ""
    if ask["tls"]:
        context = ssl.create_default_context(cafile=ask["ca"])
        context.load_cert_chain(*ask["own"])
        with context.wrap_socket(sock, server_hostname=ask["tls"]) as secured:
            shown = hashlib.sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()
            return f"TLS with {secured.version()}, the certificate names {ask['tls']}", shown
    sock.sendall(f"GET /Software/SiteStat.xml HTTP/1.1\r\nHost: {ask['connect']}\r\nConnection: close\r\n\r\n".encode())
    line = sock.recv(4096).partition(b"\r\n")[0].decode("latin-1")
    if not line.startswith("HTTP/1.1 200"):
        raise ConnectionError(f"the site answered {line!r}")
    while sock.recv(65536):
        pass
    return line, ""


def ask_relay(ask: Ask) -> Said:
    try:
        with socket.create_connection((ask["relay"], ask["port"]), ask["timeout_s"]) as sock:
            sock.settimeout(ask["timeout_s"])
            sock.sendall(json.dumps({"connect": ask["connect"]}).encode() + b"\n")
            answer = json.loads(read_line(sock))
            if not answer["ok"]:
                return {"ok": False, "code": answer["code"], "text": answer["error"], "certificate": ""}
            text, certificate = speak(sock, ask)
            return {"ok": True, "code": "", "text": text, "certificate": certificate}
    except (OSError, ValueError) as error:
        return {"ok": False, "code": "", "text": f"{type(error).__name__}: {error}", "certificate": ""}


def ask_all(asks: list[Ask]) -> list[Said]:
    with ThreadPoolExecutor(max(1, len(asks))) as pool:
        return list(pool.map(ask_relay, asks))


if __name__ == "__main__":
    json.dump(ask_all(json.load(sys.stdin)), sys.stdout)
