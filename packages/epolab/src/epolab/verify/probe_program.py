"""Sent to a node and run there by its own Python: knocks at ports, all at once, and prints what answered.

Standard library only, Python 3.11 or later. Standard input is a JSON list of knocks
`{"protocol": "tcp"|"udp", "address", "port", "source"?, "send"? (hex), "timeout_s"}`; standard output is a JSON list of
`{"outcome": "open"|"refused"|"silent"|"error", "reply": hex, "error": str, "ms": float}` in the same order.
A UDP knock is `open` when anything came back; a TCP knock that sends has all that comes within a moment of the first,
and only the first has to come within its time.
"""

import asyncio
import contextlib
import json
import socket
import sys
import time
from typing import Any

Knock = dict[str, Any]
MOMENT_S = 0.1


async def knock_tcp(knock: Knock) -> bytes:
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in knock["address"] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        if knock.get("source"):
            sock.bind((knock["source"], 0))
        async with asyncio.timeout(knock["timeout_s"]):
            await loop.sock_connect(sock, (knock["address"], knock["port"]))
            if not knock.get("send"):
                return b""
            await loop.sock_sendall(sock, bytes.fromhex(knock["send"]))
            reply = await loop.sock_recv(sock, 65536)
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(MOMENT_S):
                while more := await loop.sock_recv(sock, 65536):
                    reply += more
        return reply


async def knock_udp(knock: Knock) -> bytes:
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in knock["address"] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind((knock.get("source") or "", 0))
        sock.connect((knock["address"], knock["port"]))
        async with asyncio.timeout(knock["timeout_s"]):
            await loop.sock_sendall(sock, bytes.fromhex(knock["send"]))
            return await loop.sock_recv(sock, 65536)


async def knock_once(knock: Knock) -> dict[str, Any]:
    began = time.monotonic()
    answer: dict[str, Any] = {"outcome": "open", "reply": "", "error": ""}
    try:
        work = knock_tcp(knock) if knock["protocol"] == "tcp" else knock_udp(knock)
        answer["reply"] = (await work).hex()
    except TimeoutError:
        answer["outcome"] = "silent"
    except ConnectionRefusedError as error:
        answer.update(outcome="refused", error=str(error))
    except OSError as error:
        answer.update(outcome="error", error=str(error))
    answer["ms"] = (time.monotonic() - began) * 1000
    return answer


async def knock_all(knocks: list[Knock]) -> list[dict[str, Any]]:
    return await asyncio.gather(*(knock_once(knock) for knock in knocks))


if __name__ == "__main__":
    json.dump(asyncio.run(knock_all(json.load(sys.stdin))), sys.stdout)
