"""The agent's process with the SuperAgent in it: what `miniepo agent` runs on every endpoint."""

from __future__ import annotations

from collections.abc import Sequence

from miniepo.agent import app
from miniepo.agent.app import Basis
from miniepo.agent.roles import Role
from miniepo.config import AgentConfig
from miniepo.protocol.version import AGENT_BROADCAST_PORT
from miniepo.superagent.broadcast_role import BroadcastRole
from miniepo.superagent.repository_role import RepositoryRole
from miniepo.wire.broadcast import shout


def make_roles(basis: Basis) -> Sequence[Role]:
    """The roles that live inside the agent's process."""
    repository = RepositoryRole(basis.server_key, basis.nonces, basis.clock)
    return (repository, _broadcast_role(basis))


def _broadcast_role(basis: Basis) -> BroadcastRole:
    return BroadcastRole(
        basis.state,
        basis.server_key,
        basis.nonces,
        basis.clock,
        basis.handler_addresses.read,
        basis.alarm,
        lambda data, segment: shout(data, AGENT_BROADCAST_PORT, segment),
    )


def main(config: AgentConfig) -> int:
    """Run the agent until it is told to stop."""
    return app.main(config, make_roles)
