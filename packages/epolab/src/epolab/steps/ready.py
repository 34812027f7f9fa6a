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
_CA = "/etc/miniepo/ca.pem"


def ask(work: Work) -> dict[str, Any]:
    """What the server says about readiness; the password goes by standard input, to nobody but the lab's own server."""
    server = node_container(work.lab, facts.server(work.topology).path)
    password = (work.folder.path / "secrets" / "admin.password").read_text().strip()
    config = f'url = "{_URL}"\nuser = "admin:{password}"\ncacert = "{_CA}"\nsilent\nshow-error\nmax-time = 10\n'
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


def missing(document: Mapping[str, Any], agents: Collection[str], others: Collection[str] = ()) -> list[str]:
    """What is not ready yet, a line for each; `agents` and `others` (handlers) are the full names that are declared.

    What the server still knows of a node that is not declared any more is nobody's readiness.
    """
    declared = {*agents, *others}
    lines = [
        f"{entry['fqdn']} ({kind}): {entry.get('problems') or 'not ready'}"
        for kind in ("systems", "repositories", "handlers")
        for entry in document[kind]
        if entry["fqdn"] in declared and not entry["ready"]
    ]
    known = {system["fqdn"] for system in document["systems"]}
    return [*(f"{name}: has not called in" for name in sorted(set(agents) - known)), *lines]


def run(work: Work) -> bool:
    """Wait; NotReadyError, with what is missing, when it takes too long."""
    agents = [node.fqdn for node in facts.agents(work.topology)]
    handlers = [node.fqdn for node in facts.handlers(work.topology)]
    last: list[str] = ["the server has not answered"]
    waited = False

    def ready() -> bool:
        nonlocal last, waited
        try:
            document = ask(work)
        except ContainerError as error:
            last = [error.message]
        else:
            last = missing(document, agents, handlers)
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
