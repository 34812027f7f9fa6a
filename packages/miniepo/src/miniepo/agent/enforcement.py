"""Stores what a package brings and enforces the policies in force: at every start, on an interval, and offline."""

from __future__ import annotations

from collections.abc import Sequence

from miniepo.agent.roles import Role
from miniepo.agent.settings import Settings, resolve
from miniepo.agent.state import StateDirectory
from miniepo.config import AgentConfig
from miniepo.errors import SiteListError
from miniepo.log import logger
from miniepo.protocol.agent_session import Versions
from miniepo.protocol.messages import Package, SiteListFile

_log = logger("agent.enforcement")


class Enforcer:
    """Keeps the node at what its policies say."""

    def __init__(self, config: AgentConfig, state: StateDirectory, roles: Sequence[Role]) -> None:
        self._config = config
        self._state = state
        self._roles = roles
        self._enforced_policy = ""
        self.settings: Settings = resolve(state.policies, config)

    @property
    def versions(self) -> Versions:
        """The versions in force; a policy that could not be enforced wholly does not count."""
        return Versions(self._enforced_policy, self._state.tasks.version, self._state.sitelist_version)

    def take(self, package: Package) -> tuple[str, ...]:
        """Store what the package holds, then enforce; what went wrong comes back as texts."""
        problems: tuple[str, ...] = ()
        if package.sitelist is not None:
            problems = self._take_sitelist(package.sitelist)
        if package.policies is not None:
            self._state.policies = package.policies
            _log.info("new policies %s", package.policies.version)
        if package.tasks is not None:
            self._state.tasks = package.tasks
            _log.info("%d client tasks assigned", len(package.tasks.tasks))
        return (*problems, *self.enforce())

    def _take_sitelist(self, file: SiteListFile) -> tuple[str, ...]:
        try:
            self._state.store_sitelist(file.xml, file.version)
        except SiteListError as error:
            return (str(error),)
        _log.info("new site list %s", file.version)
        return ()

    def enforce(self) -> tuple[str, ...]:
        """Bring the node to its policies; purely local (domain §4)."""
        policies = self._state.policies
        self.settings = resolve(policies, self._config)
        problems = [*self.settings.problems]
        for role in self._roles:
            problems += role.enforce(self.settings)
        for problem in problems:
            _log.error("not enforced: %s", problem)
        if not problems:
            self._enforced_policy = policies.version
        _log.debug("policies %s enforced", policies.version)
        return tuple(problems)

    def role_properties(self) -> dict[str, str]:
        """What the roles report."""
        return {name: value for role in self._roles for name, value in role.properties().items()}

    def role_states(self) -> dict[str, bool]:
        """Which roles are switched on."""
        return {role.name: role.active for role in self._roles}
