"""By which name a TLS client's certificate calls it, and how an ASGI application gets to know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CLIENT_NAME = "client_name"


def common_name(certificate: Mapping[str, Any] | None) -> str:
    """The common name in what `ssl` tells of a peer's verified certificate; "" without one."""
    subject = (certificate or {}).get("subject", ())
    return next((str(value) for part in subject for name, value in part if name == "commonName"), "")


def client_name(scope: Mapping[str, Any]) -> str:
    """The common name of the certificate that the client of this request showed, "" if it showed none."""
    return str(scope.get("state", {}).get(CLIENT_NAME, ""))
