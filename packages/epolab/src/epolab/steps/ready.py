"""Waits until the lab's management is ready: every expected system has called in and enforces its policy."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from epolab.errors import ContainerError, NotReadyError, TimeoutExceededError
from epolab.hands.until import until
from epolab.model import facts
from epolab.provider.labels import node_container
from epolab.steps.work import Work

LIMIT_SECONDS = 240.0
_URL = "https://localhost:8443/remote/miniepo.readiness?:output=json"


def ask(work: Work) -> dict[str, Any]:
    """What the server says about readiness; the password goes by standard input, never by argument."""
    server = node_container(work.lab, facts.server(work.topology).path)
    password = (work.folder.path / "secrets" / "admin.password").read_text().strip()
    config = f'url = "{_URL}"\nuser = "admin:{password}"\ninsecure\nsilent\nshow-error\nmax-time = 10\n'
    done = work.docker.exec(server, ["curl", "--config", "-"], config.encode(), limit_seconds=20)
    if done.exit_code != 0:
        raise ContainerError(f"the server's Web API does not answer: {done.complaint}")
    return parse(done.text)


def parse(text: str) -> dict[str, Any]:
    """The document in the Web API's answer: `OK:`, an empty line, JSON."""
    status, _, body = text.partition("\n")
    if status.strip() != "OK:":
        raise ContainerError(f"the server's Web API answers: {text.strip()[:500]}")
    document: dict[str, Any] = json.loads(body)
    return document


def missing(document: Mapping[str, Any], expected: Collection[str]) -> list[str]:
    """What is not ready yet, a line for each; `expected` are the full names of the systems that there must be."""
    lines = []
    for kind in ("systems", "repositories", "handlers"):
        for entry in document[kind]:
            if not entry["ready"]:
                lines.append(f"{entry['name']} ({kind}): {entry.get('problems') or 'not ready'}")
    known = {system["fqdn"] for system in document["systems"]}
    return [*(f"{name}: has not called in" for name in sorted(set(expected) - known)), *lines]


def run(work: Work) -> bool:
    """Wait; NotReadyError, with what is missing, when it takes too long."""
    expected = [node.fqdn for node in facts.agents(work.topology)]
    last: list[str] = ["the server has not answered"]
    waited = False

    def ready() -> bool:
        nonlocal last, waited
        try:
            document = ask(work)
        except ContainerError as error:
            last = [error.message]
        else:
            last = missing(document, expected)
            if not last:
                return True
        if not waited or len(last) < 4:
            work.progress.note(f"waiting for {len(last)}: {', '.join(last[:3])}")
        waited = True
        return False

    try:
        until(ready, what="the lab becomes ready", limit_seconds=LIMIT_SECONDS, pause_seconds=0.5)
    except TimeoutExceededError as error:
        raise NotReadyError(error.message, hint=f"epolab logs {work.lab}:NODE", step="ready", evidence=last) from error
    return waited
