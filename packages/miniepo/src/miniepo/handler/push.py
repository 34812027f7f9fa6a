"""Push install: lays the agent package on a host that has no agent, and starts it there (domain §6.1, source S2).

The product copies the package to the host's admin share and starts the installer as an administrator. Here the
handler logs in by SSH with an administrator's name and password; the rest is the same: one package for all hosts, from
the server's own release, credentials that the caller gives or that the server remembers, and no agent in the way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from nacl.signing import SigningKey

from miniepo import config, log
from miniepo.errors import ConfigError, SilentError, UnreachableError
from miniepo.handler import agent_package, delivery
from miniepo.protocol import signing
from miniepo.protocol.credentials import opened
from miniepo.protocol.relay_session import Endpoint
from miniepo.server.assigned import read_declared
from miniepo.store.store import Store
from miniepo.store.systems import System
from miniepo.store.work import Work
from miniepo.wire import secure_shell
from miniepo.wire.secure_shell import Login, Ran

SSH_PORT = 22
LIMIT_SECONDS = 45.0
INSTALLED_ALREADY = 3
NOT_ITS_KEY = 6
UNPACK = (
    "umask 077 && d=$(mktemp -d /tmp/agent-package.XXXXXX) && trap 'cd / && rm -rf \"$d\"' EXIT"
    ' && cd "$d" && tar -xzf - && sh ./install.sh'
)
"""Whatever becomes of it, and also when the upload breaks off, the package with its keys does not stay on the host."""
_logger = log.logger("handler.push")


class Pusher:
    """Pushes agents; without settings this handler has no package to push."""

    def __init__(self, store: Store, key: SigningKey, enrolment_key: str, ca: str, push: config.Push | None) -> None:
        self._store = store
        self._key = key
        self._enrolment_key = enrolment_key
        self._ca = ca
        self._push = push

    async def prepare(self, system: System, work: Work) -> Callable[[Endpoint], Awaitable[delivery.Event]]:
        """Make the package for a system; what comes back carries it to a host."""
        try:
            login = self._login(work)
            archive = await self._package(system, work)
        except (ConfigError, OSError) as error:
            return _always(delivery.Refused(f"no agent package: {error}"))
        command = command_for(system, skip_if_installed=bool(work.options.get("skip_if_installed")))
        return lambda endpoint: _carry(endpoint, login, command, archive)

    def _login(self, work: Work) -> Login:
        user, sealed = str(work.options.get("user", "")), str(work.options.get("password", ""))
        if sealed:
            return Login(user, opened(sealed, self._key))
        if self._push is None:
            raise ConfigError("no credentials were given, and none are remembered")
        return Login(user or self._push.user, config.read_secret(self._push.password_file))

    async def _package(self, system: System, work: Work) -> bytes:
        if self._push is None:
            raise ConfigError("this handler has none")
        assigned = (await read_declared(self._store)).for_system(system)
        name, asci_seconds = system.computer_name or system.name, float(work.options["asci"])
        files = {
            "agent.json": agent_package.agent_settings(name, asci_seconds),
            "SiteList.xml": assigned.sitelist.xml.encode(),
            "assc.pub": f"{signing.public_text(self._key)}\n".encode(),
            "enrolment.key": f"{self._enrolment_key}\n".encode(),
        }
        paths = {"ca.pem": self._ca, "agent.pem": self._push.certificate, "agent.key": self._push.key}
        return await asyncio.to_thread(agent_package.read_and_build, self._push.release, paths, files)


def command_for(system: System, *, skip_if_installed: bool) -> str:
    """What is run on a host. A system that an agent's key holds is that agent's, until a new GUID is asked for."""
    held = system.public_key is not None and not system.regenerate_guid
    return UNPACK + " --skip-if-installed" * skip_if_installed + " --only-with-its-key" * held


def _always(event: delivery.Event) -> Callable[[Endpoint], Awaitable[delivery.Event]]:
    async def knock(_: Endpoint) -> delivery.Event:
        return event

    return knock


async def _carry(endpoint: Endpoint, login: Login, command: str, archive: bytes) -> delivery.Event:
    """Log in, unpack, install."""
    try:
        ran = await secure_shell.run(endpoint.host, endpoint.port, login, command, archive, LIMIT_SECONDS)
    except (UnreachableError, SilentError) as error:
        return delivery.Unreached(f"{endpoint.host}: {error}")
    _logger.info("push to %s ended with %d", endpoint.host, ran.code)
    return judged(endpoint.host, login.user, ran)


def judged(host: str, user: str, ran: Ran) -> delivery.Event:
    """What the installer's end means."""
    if ran.login_refused:
        return delivery.Refused(f"{host} refuses the login of {user}")
    if ran.code == 0:
        return delivery.Accepted()
    if ran.code == INSTALLED_ALREADY:
        return delivery.Refused(f"{host} has an agent already")
    if ran.code == NOT_ITS_KEY:
        return delivery.Refused(
            f"{host} was made anew, and its system still belongs to the agent that was there: delete the system "
            "(system.delete) and import it again, or ask for a new GUID (miniepo.regenerateGuid)"
        )
    return delivery.Refused(f"{host}: the installer ended with {ran.code}: {ran.error}")
