"""The agent's process with the SuperAgent in it: what `miniepo agent` runs on every endpoint."""

from __future__ import annotations

from collections.abc import Sequence

from miniepo.agent import app
from miniepo.agent.app import Basis
from miniepo.agent.roles import Role
from miniepo.config import AgentConfig
from miniepo.superagent.repository_role import RepositoryRole


def make_roles(basis: Basis) -> Sequence[Role]:
    """The roles that live inside the agent's process."""
    return (RepositoryRole(basis.server_key, basis.nonces, basis.clock),)


def main(config: AgentConfig) -> int:
    """Run the agent until it is told to stop."""
    return app.main(config, make_roles)
