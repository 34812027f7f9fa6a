"""The relay process `cmamesh`: answers discoveries by broadcast and multicast, and forwards on its TCP port."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from pathlib import Path

from miniepo.clock import Clock, SystemClock
from miniepo.config import RelayConfig
from miniepo.errors import MessageError
from miniepo.log import logger
from miniepo.protocol.discovery import MAX_ADDRESSES, Relay, answer_delay, decode_query, encode_offer
from miniepo.relay.forward import Forwarder, Limits
from miniepo.relay.targets import Targets
from miniepo.wire.datagram import DatagramPort, Later
from miniepo.wire.handover import Taker
from miniepo.wire.interfaces import addresses, read_interfaces
from miniepo.wire.tcp_server import TcpServer

COMM_NAME = "cmamesh"
OPEN_FILES = 8192

_log = logger("relay.app")


class RelayService:
    """One relay; on a shared port it is the agent that listens, and hands over what is the relay's."""

    def __init__(self, config: RelayConfig, clock: Clock, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        self._config = config
        self._forwarder = Forwarder(Targets(Path(config.sitelist), clock), limits)
        self._server = TcpServer(self._forwarder.serve)
        self._taker = Taker(self._server.adopt)
        self._ports = [DatagramPort(port) for port in config.discovery_ports]
        self._tcp_port = config.port

    async def start(self) -> int:
        """Listen on everything; the TCP port in use comes back."""
        if self._config.shared:
            self._taker.start()
        else:
            self._tcp_port = await self._server.start(self._config.listen, self._config.port)
        for port in self._ports:
            await port.open(self._answer)
        _log.info("relay %s forwards on port %d", self._config.computer_name, self._tcp_port)
        return self._tcp_port

    async def close(self) -> None:
        """Stop."""
        for port in self._ports:
            port.close()
        await self._taker.close()
        await self._server.close()

    def _answer(self, data: bytes, source: str) -> Later | None:
        """The offer for a question; nothing for anything else that comes along on these ports."""
        try:
            nonce = decode_query(data)
        except MessageError as error:
            _log.debug("from %s: %s", source, error)
            return None
        config = self._config
        delay = (
            None
            if nonce is None
            else answer_delay(config.guid, nonce, self._forwarder.load, config.answer_within_seconds)
        )
        if nonce is None or delay is None:
            return None
        own = addresses(read_interfaces())[:MAX_ADDRESSES]
        _log.info("discovered by %s", source)
        return Later(encode_offer(Relay(config.guid, config.computer_name, self._tcp_port, own), nonce), delay)

    async def run(self) -> None:
        """Serve until cancelled."""
        await self.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()


def _allow_files(count: int) -> None:
    """Let this process have so many files open, if it may: a forwarded connection takes up to eight."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(count, hard)), hard))


def main(config: RelayConfig) -> int:
    """Run the relay until it is told to stop."""
    Path("/proc/self/comm").write_text(COMM_NAME, encoding="ascii")
    _allow_files(OPEN_FILES)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(RelayService(config, SystemClock()).run())
    return 0
