"""Sent to a node and run there: opens TLS to addresses and prints whether the certificate is right.

Standard library only, Python 3.11 or later. Standard input is JSON
`{"addresses": [str], "port": int, "name": str, "ca": path, "own": [certificate, key] | [], "timeout_s": float}`;
standard output is a JSON list of `{"address": str, "ok": bool, "text": str}`.
"""

import json
import socket
import ssl
import sys
from typing import Any


def look_at(address: str, given: dict[str, Any]) -> dict[str, Any]:
    try:
        context = ssl.create_default_context(cafile=given["ca"])
        if given["own"]:
            context.load_cert_chain(*given["own"])
        with (
            socket.create_connection((address, given["port"]), given["timeout_s"]) as sock,
            context.wrap_socket(sock, server_hostname=given["name"]) as secured,
        ):
            return {"address": address, "ok": True, "text": str(secured.version())}
    except ssl.SSLCertVerificationError as error:
        return {"address": address, "ok": False, "text": f"its certificate is refused: {error.verify_message}"}
    except OSError as error:
        return {"address": address, "ok": False, "text": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    wanted = json.load(sys.stdin)
    json.dump([look_at(address, wanted) for address in wanted["addresses"]], sys.stdout)
