"""Sent to an agent's node and run there: gives the agent orders through its control socket, and prints what it did.

Standard library only, Python 3.11 or later. Standard input is `{"socket": path, "log": path, "list": path, "text": str,
"urgent": severity, "ordinary": severity | null, "patience_s": float}`; standard output is `{"error": str,
"session": [str], "starts": lines of the log, "came": line of the log, "upload": [str], "kept": int, "attempt": int,
"later": [str], "left": int, "list": str, "asci_seconds": float, "enforcement_seconds": float}`.

The agent calls in; then an ordinary event and one of priority are raised, and what the agent says of its next call is
noted, with how many events it has kept; then it calls in again. Where an ASCI came in between, it is all done again.
"""

import json
import re
import socket
import sys
import time
from pathlib import Path
from typing import Any

ATTEMPTS = 3
PAUSE_SECONDS = 0.05
STARTS = 16
CALL = r"^.*(first call begins|called in (to .+ )?\((?!event\))).*$"
Document = dict[str, Any]


class Unable(Exception):
    """The agent could not do what it was told."""


def order(given: Document, name: str, **more: object) -> Document:
    """What came of an order."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(given["patience_s"])
        sock.connect(given["socket"])
        sock.sendall(json.dumps({"order": name, **more}).encode() + b"\n")
        line = sock.makefile("rb").readline()
    reply: Document = json.loads(line or b'{"ok": false, "error": "no reply"}')
    if not reply["ok"]:
        raise Unable(f"{name}: {reply['error']}")
    result: Document = reply["result"]
    return result


def raise_event(given: Document, severity: int, what: str) -> None:
    """Put an event into the agent's spool."""
    order(given, "event", event_id=1120, severity=severity, text=f"{given['text']} {what}")


def next_call(given: Document, before: Document) -> Document:
    """The agent's status after the next call that is not the one before; raises Unable when none comes."""
    ends = time.monotonic() + float(given["patience_s"])
    while time.monotonic() < ends:
        seen = order(given, "status")
        if seen["last_callin_seconds"] != before["last_callin_seconds"]:
            return seen
        time.sleep(PAUSE_SECONDS)
    raise Unable(f"no upload of an event of priority within {given['patience_s']:g} s")


def upload(given: Document) -> Document:
    """Raise both events right after a call-in, the first time that of the session, and see what the agent does."""
    for attempt in range(ATTEMPTS):
        if attempt:
            order(given, "callin")
        before = order(given, "status")
        if given["ordinary"] is not None:
            raise_event(given, given["ordinary"], f"ordinary {attempt}")
        raise_event(given, given["urgent"], f"urgent {attempt}")
        seen = next_call(given, before)
        if seen["last_callin_reason"] == "event":
            return {"upload": seen["last_session"], "kept": seen["spooled_events"], "attempt": attempt}
    return {"upload": seen["last_session"], "kept": seen["spooled_events"], "attempt": attempt}


def first_calls(log: str) -> Document:
    """What the log says of the agent's last starts, and of the first call after the last of them, whatever for."""
    text = Path(log).read_text(encoding="utf-8", errors="replace")
    starts = list(re.finditer(r"^.*first call in .*$", text, re.MULTILINE))
    came = re.compile(CALL, re.MULTILINE).search(text, starts[-1].end()) if starts else None
    return {"starts": [each[0] for each in starts[-STARTS:]], "came": came[0] if came else ""}


def talk(given: Document) -> Document:
    """Everything, in order."""
    order(given, "callin")
    found: Document = {
        "error": "",
        "session": order(given, "status")["last_session"],
        **first_calls(given["log"]),
    }
    if given["urgent"] is not None:
        found |= upload(given)
    order(given, "callin")
    seen = order(given, "status")
    told = {"later": seen["last_session"], "left": seen["spooled_events"]}
    told["list"] = Path(given["list"]).read_text(encoding="utf-8", errors="replace")
    return found | told | {name: seen[name] for name in ("asci_seconds", "enforcement_seconds")}


def main() -> None:
    """Read what is wanted, do it, print what came."""
    given: Document = json.loads(sys.stdin.read())
    try:
        found = talk(given)
    except (Unable, OSError, KeyError, ValueError) as error:
        found = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
