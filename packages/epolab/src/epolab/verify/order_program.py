"""Sent to an agent's node and run there: gives the agent orders through its control socket, one after the other.

Standard library only, Python 3.11 or later. Standard input is `{"socket": path, "orders": [{"order": str, ...}],
"patience_s": float}`; standard output is a JSON list of the agent's replies, `{"ok": bool, "result": {...}, "error":
str}` each.
"""

import json
import socket
import sys
from typing import Any

Document = dict[str, Any]


def reply_to(path: str, patience_s: float, order: Document) -> Document:
    """The agent's reply to one order."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(patience_s)
        sock.connect(path)
        sock.sendall(json.dumps(order).encode() + b"\n")
        line = sock.makefile("rb").readline()
    reply: Document = json.loads(line) if line else {"ok": False, "error": "no reply"}
    return {"result": {}, "error": "", **reply}


def main() -> None:
    """Read the orders, give them, print the replies."""
    given: Document = json.loads(sys.stdin.read())
    replies = [reply_to(given["socket"], given["patience_s"], order) for order in given["orders"]]
    sys.stdout.write(json.dumps(replies))


if __name__ == "__main__":
    main()
