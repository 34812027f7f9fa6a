"""The fabric's worker: one JSON request per line on standard input, one JSON answer per line on standard output."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import IO, Any

from epolab_fabric.control import SOCKET, ask
from epolab_fabric.documents import DEFAULT_ROOT, Documents
from epolab_fabric.errors import FabricFault, RequestInvalidFault
from epolab_fabric.links import Links
from epolab_fabric.namespaces import require_own_namespace
from epolab_fabric.netlink import IPRoute, NetlinkError
from epolab_fabric.requests import decode_link, decode_node
from epolab_fabric.survey import survey
from epolab_fabric.wiring import Wiring

Operation = Callable[..., Any]


class Worker:
    """Answers requests one after the other; other workers on the same fabric are kept out while it acts."""

    def __init__(self, documents: Documents, wiring: Wiring, links: Links) -> None:
        self._documents = documents
        self._operations: Mapping[str, Operation] = {
            "ping": lambda: "pong",
            "segment_ensure": lambda path: bool(wiring.ensure_segment(path)),
            "segment_remove": lambda path: wiring.remove_segment(path),
            "node_wire": lambda **values: wiring.wire_node(decode_node(values)),
            "node_unwire": lambda path: wiring.unwire_node(path),
            "link_apply": lambda **values: links.apply(decode_link(values)),
            "link_remove": lambda name: links.remove(name),
            "link_counters": lambda: links.counters(),
            "link_state": lambda: links.state(),
            "ports": lambda: wiring.ports(),
            "survey": lambda pids: survey(pids, links.attached()),
            "document_read": lambda name: documents.read(name),
            "document_write": lambda name, value: documents.write(name, value),
            "phase_read": lambda: documents.read("phase"),
            "phase_write": lambda **values: documents.write("phase", values),
        }

    def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to one request line; a failure is an answer too."""
        number: Any = None
        try:
            request = json.loads(line)
            number = request["id"]
            return {"id": number, "ok": True, "result": self._act(request["op"], request.get("args") or {})}
        except (FabricFault, NetlinkError, OSError, ValueError, KeyError, TypeError) as error:
            return _failure(number, error)
        except Exception as error:  # Our own mistake: shown with its trace, but the lab's other requests go on.
            traceback.print_exc()
            return _failure(number, error)

    def _act(self, name: str, arguments: dict[str, Any]) -> Any:
        operation = self._operations.get(name)
        if operation is None:
            raise RequestInvalidFault(f"there is no operation {name!r}")
        with self._documents.locked():
            return operation(**arguments)


def _failure(number: Any, error: Exception) -> dict[str, Any]:
    return {"id": number, "ok": False, "error": {"type": type(error).__name__, "message": str(error)}}


def serve(worker: Worker, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until the requests end."""
    for line in requests:
        answers.write(json.dumps(worker.answer(line)).encode() + b"\n")
        answers.flush()


def main() -> None:
    """Serve this process's standard streams from inside the fabric's namespace."""
    require_own_namespace()
    links = Links(Documents(DEFAULT_ROOT), partial(ask, SOCKET))
    with IPRoute() as netlink:
        worker = Worker(Documents(DEFAULT_ROOT / "documents"), Wiring(netlink), links)
        serve(worker, sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
