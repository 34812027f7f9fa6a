"""A swarm process in a field, as `field.agent` is an agent process."""

from __future__ import annotations

import json
from typing import Any

from miniepo.protocol import sitelist
from miniepo.protocol.sitelist import SiteList
from tests.integration.miniepo.field import AgentProcess, Field, free_port


def start_swarm(field: Field, name: str, count: int, parallel: int = 32, **more: Any) -> AgentProcess:
    """Start `count` agents in one process."""
    (field.folder / "SiteList.xml").write_text(sitelist.write(SiteList("EPO", "", field.sites)))
    port = free_port()
    state = field.folder / f"state-{name}"
    settings = {
        "computer_name": name,
        "fqdn": "localhost",
        "state_dir": str(state),
        "sitelist": str(field.folder / "SiteList.xml"),
        **field.authority.issue(f"agent-{name}", [name]),
        "server_public_key": str(field.folder / "assc.pub"),
        "enrolment_key_file": str(field.folder / "enrolment.key"),
        "first_call_within_seconds": 0.5,
        "asci_seconds": 3600,
        "wakeup_port": port,
        "listen": ["127.0.0.1"],
    } | more
    path = field.folder / f"agent-{name}.json"
    path.write_text(json.dumps(settings))
    swarm = {"agent": str(path), "count": count, "parallel": parallel}
    return AgentProcess(field.start("swarm", swarm, name), state, port)
