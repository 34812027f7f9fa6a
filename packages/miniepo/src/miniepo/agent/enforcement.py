"""Stores what a package brings and enforces the policies in force: at every start, on an interval, and offline."""

from __future__ import annotations

from collections.abc import Sequence

from miniepo.agent.roles import Refusal, Role
from miniepo.agent.settings import Settings, resolve
from miniepo.agent.state import StateDirectory
from miniepo.config import AgentConfig
from miniepo.errors import MessageError, SiteListError
from miniepo.log import logger
from miniepo.protocol.agent_session import Versions
from miniepo.protocol.manifest import manifest_of, merged
from miniepo.protocol.messages import Package, PolicySet, SiteListFile
from miniepo.protocol.version import Behaviour

_log = logger("agent.enforcement")


class Enforcer:
    """Keeps the node at what its policies say; `enforcements` counts how often it saw to it since its start."""

    def __init__(self, config: AgentConfig, state: StateDirectory, roles: Sequence[Role]) -> None:
        self._config = config
        self._state = state
        self._roles = roles
        self._enforced_policy = ""
        self._by_manifest = Behaviour.of(config.version).policy_manifest
        self.enforcements = 0
        self.problems: tuple[str, ...] = ()
        self.settings: Settings = resolve(state.policies, config)

    @property
    def versions(self) -> Versions:
        """The versions in force; a policy that could not be enforced wholly does not count."""
        manifest = manifest_of(self._state.policies) if self._by_manifest else None
        return Versions(self._enforced_policy, self._state.tasks.version, self._state.sitelist_version, manifest)

    def take(self, package: Package) -> tuple[str, ...]:
        """Store what the package holds, then enforce; what went wrong comes back as texts."""
        problems: tuple[str, ...] = ()
        if package.sitelist is not None:
            problems = self._take_sitelist(package.sitelist)
        if package.policies is not None:
            problems = (*problems, *self._take_policies(package.policies))
        if package.tasks is not None:
            self._state.tasks = package.tasks
            _log.info("%d client tasks assigned", len(package.tasks.tasks))
        return (*problems, *self.enforce())

    def _take_policies(self, received: PolicySet) -> tuple[str, ...]:
        try:
            self._state.policies = merged(self._state.policies, received)
        except MessageError as error:
            return (str(error),)
        names = ", ".join(policy.category for policy in received.policies) or "none"
        _log.info("new policies %s: %s", received.version, names)
        return ()

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
        if all(isinstance(problem, Refusal) for problem in problems):
            self._enforced_policy = policies.version
        self.enforcements += 1
        self.problems = tuple(map(str, problems))
        _log.debug("policies %s enforced", policies.version)
        return self.problems

    def role_properties(self) -> dict[str, str]:
        """What the roles report."""
        return {name: value for role in self._roles for name, value in role.properties().items()}

    def role_states(self) -> dict[str, bool]:
        """Which roles are switched on."""
        return {role.name: role.active for role in self._roles}
