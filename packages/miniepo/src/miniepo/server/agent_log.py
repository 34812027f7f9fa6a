"""Showing an agent's log page in the console: the server fetches it from the agent's wake-up port (domain §4.3).

It is initiated by the server, so that it works for agents that can be called, and not for those behind a relay (source
S1). The agent is looked for by the names of a wake-up.
"""

from __future__ import annotations

from miniepo.errors import UnreachableError, WorldError
from miniepo.handler.delivery import hint_of, names_of, wakeup_port
from miniepo.protocol.relay_session import Endpoint
from miniepo.protocol.sitelist import join_host_port
from miniepo.store.systems import System
from miniepo.wire.http_client import HttpConnection
from miniepo.wire.stream import connect

IDLE_SECONDS = 5.0
MOST_BYTES = 4 * 1024 * 1024


async def show_log(system: System) -> str:
    """The agent's log page; raises UnreachableError with what became of each name, and why it may be so."""
    tried = []
    for host in names_of(system):
        endpoint = Endpoint(host, wakeup_port(system))
        try:
            return await _page(endpoint)
        except WorldError as error:
            tried.append(str(error))
    why = "; ".join(tried) or "no address"
    raise UnreachableError(f"the log of {system.name} cannot be shown: {why}{hint_of(system)}")


async def _page(endpoint: Endpoint) -> str:
    name = join_host_port(endpoint.host, endpoint.port)
    connection = HttpConnection(await connect(endpoint), name, IDLE_SECONDS)
    try:
        answer = await connection.request("GET", "/", limit_bytes=MOST_BYTES)
        return answer.expect(200).body.decode("utf-8", "replace")
    finally:
        await connection.close()
