"""TLS sessions taken up again: the second connection to a server needs no certificates and half the arithmetic.

asyncio has no place for a session in its interface, so the context makes connections of a class that looks one up by
the server's name, and remembers the ticket that came with the server's first bytes.
"""

from __future__ import annotations

import ssl
from typing import Any

from miniepo.wire.tls import TlsContext

_MOST = 64


class Resuming:
    """A client's TLS context whose connections take up the last session with the same server.

    When the files behind the context change, sessions made with the old ones are over.
    """

    def __init__(self, tls: TlsContext) -> None:
        self._tls = tls
        self._prepared: ssl.SSLContext | None = None

    def current(self) -> ssl.SSLContext:
        context = self._tls.current()
        if context is not self._prepared:
            context.sslobject_class = _class_with({})
            self._prepared = context
        return context


def _class_with(sessions: dict[str, ssl.SSLSession]) -> type[ssl.SSLObject]:
    class ResumingObject(ssl.SSLObject):
        _kept = False

        @classmethod
        def _create(cls, *args: Any, **named: Any) -> Any:
            named["session"] = named.get("session") or sessions.get(named.get("server_hostname") or "")
            return super()._create(*args, **named)  # type: ignore[misc]

        def read(self, *args: Any) -> Any:
            data = super().read(*args)
            if not self._kept:
                self._kept = _keep(sessions, self.server_hostname or "", self.session)
            return data

    return ResumingObject


def _keep(sessions: dict[str, ssl.SSLSession], name: str, session: ssl.SSLSession | None) -> bool:
    """Remember a session that can be taken up; whether it is one."""
    if session is None or not session.has_ticket:
        return False
    if name not in sessions and len(sessions) >= _MOST:
        sessions.clear()
    sessions[name] = session
    return True
