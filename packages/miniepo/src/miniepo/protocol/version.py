"""The ePO version that the server and its handlers present to agents and to Web API clients."""

from __future__ import annotations

EPO_VERSION = "5.9.1"
