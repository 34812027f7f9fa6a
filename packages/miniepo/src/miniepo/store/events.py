"""The events that agents delivered: threats in EPOEvents, everything else in EPOProductEvents (domain §6.6)."""

from __future__ import annotations

from typing import Any

from miniepo.protocol.messages import Event
from miniepo.store.database import Database

# fmt: off
THREAT_FIELDS = (
    "Analyzer", "AnalyzerName", "AnalyzerVersion", "AnalyzerHostName", "AnalyzerIPV4", "AnalyzerIPV6", "AnalyzerMAC",
    "AnalyzerDATVersion", "AnalyzerEngineVersion", "AnalyzerDetectionMethod", "SourceHostName", "SourceIPV4",
    "SourceIPV6", "SourceMAC", "SourceUserName", "SourceProcessName", "SourceURL", "TargetHostName", "TargetIPV4",
    "TargetIPV6", "TargetMAC", "TargetUserName", "TargetPort", "TargetProtocol", "TargetProcessName",
    "TargetFileName", "ThreatCategory", "ThreatName", "ThreatType", "ThreatActionTaken", "ThreatHandled",
)
PRODUCT_FIELDS = (
    "HostName", "UserName", "IPV6", "ProductCode", "version", "SPHotFix", "ExtraDATNames", "Type", "Error", "Locale",
    "SiteName", "InitiatorID", "InitiatorType",
)
# fmt: on


class Events:
    """Stores events, each once however often it is delivered, and lists them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, server_id: str, guid: str, leaf_id: int, events: tuple[Event, ...]) -> None:
        """Call it inside a transaction: the acknowledgement is for all or none."""
        for event in events:
            common = {
                "guid": guid,
                "key": event.key,
                "text": event.text,
                "detected": event.detected,
                "event_id": event.event_id,
                "severity": event.severity,
            }
            if event.kind == "threat":
                fields = {name: event.fields.get(name) for name in THREAT_FIELDS}
                await self._database.run("event/add_threat", server_id=server_id, **common, **fields)
            else:
                fields = {name: event.fields.get(name) for name in PRODUCT_FIELDS}
                await self._database.run("event/add_product", leaf_id=leaf_id, **common, **fields)

    async def list(self, name: str | None) -> list[dict[str, Any]]:
        """Events of one system, or of all, oldest first."""
        return await self._database.records("event/list", name=name)
