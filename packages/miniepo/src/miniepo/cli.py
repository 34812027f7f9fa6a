"""`miniepo <component> --config FILE` and `miniepo ctl VERB`: picks the component and imports nothing else."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import sys
from pathlib import Path
from typing import Any

from miniepo import config, log
from miniepo.errors import InputError, MiniepoError

_COMPONENTS: dict[str, tuple[str, Any, str]] = {
    "server": ("miniepo.server.app", config.ServerConfig, "miniepo-server"),
    "handler": ("miniepo.handler.app", config.HandlerConfig, "miniepo-handler"),
    "updates": ("miniepo.updates.app", config.UpdatesConfig, "miniepo-update"),
    "agent": ("miniepo.superagent.app", config.AgentConfig, "cmdagent"),
    "swarm": ("miniepo.swarm.app", config.SwarmConfig, "miniepo-swarm"),
    "relay": ("miniepo.relay.app", config.RelayConfig, "cmamesh"),
}
_BAD_INPUT = 2
_WORLD_FAILED = 4


def main(argv: list[str] | None = None) -> int:
    """Run a component to its end; its exit code."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["ctl"]:
        return int(importlib.import_module("miniepo.agent.ctl").main(words[1:]))
    arguments = _parser().parse_args(words)
    log.configure(arguments.log_level)
    try:
        return _run(arguments.component, arguments.config)
    except MiniepoError as error:
        log.logger("miniepo").error("%s", error)
        return _BAD_INPUT if isinstance(error, InputError) else _WORLD_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="miniepo", description="Run a component, or `ctl` to talk to the agent here.")
    parser.add_argument("component", choices=sorted(_COMPONENTS), metavar="component", help=", ".join(_COMPONENTS))
    parser.add_argument("--config", required=True, help="the component's JSON file")
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    return parser


def _run(component: str, path: str) -> int:
    module, kind, process_name = _COMPONENTS[component]
    settings = config.load(path, kind)
    _name_process(process_name)
    return int(importlib.import_module(module).main(settings))


def _name_process(name: str) -> None:
    """What `ps` and `pgrep` show, as in the product; at most 15 characters; not possible everywhere, and not needed."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name, encoding="ascii")
