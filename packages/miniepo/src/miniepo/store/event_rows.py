"""How an event becomes a row: as a line that COPY reads, or as a record for an INSERT that minds what is there already.

Whatever is in an event, the columns can hold what comes out: an event must never be undeliverable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from miniepo.protocol.messages import Event

# fmt: off
THREAT_FIELDS = (
    "Analyzer", "AnalyzerName", "AnalyzerVersion", "AnalyzerHostName", "AnalyzerIPV4", "AnalyzerIPV6", "AnalyzerMAC",
    "AnalyzerDATVersion", "AnalyzerEngineVersion", "AnalyzerDetectionMethod", "SourceHostName", "SourceIPV4",
    "SourceIPV6", "SourceMAC", "SourceUserName", "SourceProcessName", "SourceURL", "TargetHostName", "TargetIPV4",
    "TargetIPV6", "TargetMAC", "TargetUserName", "TargetPort", "TargetProtocol", "TargetProcessName",
    "TargetFileName", "ThreatCategory", "ThreatName", "ThreatType", "ThreatActionTaken",
)
PRODUCT_FIELDS = (
    "HostName", "UserName", "IPV6", "ProductCode", "version", "SPHotFix", "ExtraDATNames", "Type", "Error", "Locale",
    "SiteName", "InitiatorID", "InitiatorType",
)
# fmt: on
_THREATS, _PRODUCTS = frozenset(THREAT_FIELDS), frozenset(PRODUCT_FIELDS)
_YES, _NO = frozenset({"1", "true", "t", "yes", "y"}), frozenset({"0", "false", "f", "no", "n"})
_MOST_NUMBER = 2**31 - 1
_LAST_SECOND = 253_402_300_799.0
_NUL = b"\\u0000"
_ESCAPES = {0: None, 1: None, 9: "\\t", 10: "\\n", 13: "\\r", 92: "\\\\"}
ABSENT = "\1"
"""How COPY is told of a value that is not there."""
_NO_THREAT_FIELDS, _NO_PRODUCT_FIELDS = [ABSENT] * len(THREAT_FIELDS), [ABSENT] * len(PRODUCT_FIELDS)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The events of one message, of the agent on one system, taken by one handler."""

    server_id: str
    guid: str
    leaf_id: int
    events: tuple[Event, ...]


def threat_line(delivered: Delivered, event: Event) -> str:
    """A line for COPY; the columns are those of query `event/copy_threats`."""
    fields, at = event.fields, _moment(event)
    handled = _handled(fields)
    return _line(
        [
            delivered.server_id,
            at,
            at,
            delivered.guid,
            event.key,
            event.text,
            str(_within(event.event_id)),
            str(_within(event.severity)),
            ABSENT if handled is None else "t" if handled else "f",
            *map(fields.get, THREAT_FIELDS, _NO_THREAT_FIELDS),
        ]
    )


def product_line(delivered: Delivered, event: Event) -> str:
    """A line for COPY; the columns are those of query `event/copy_products`."""
    return _line(
        [
            _moment(event),
            delivered.guid,
            event.key,
            event.text,
            str(delivered.leaf_id),
            str(_within(event.event_id)),
            str(_within(event.severity)),
            *map(event.fields.get, PRODUCT_FIELDS, _NO_PRODUCT_FIELDS),
        ]
    )


def _line(cells: list[str]) -> str:
    """The cells as COPY reads them. Backslashes are common and doubled in one go; what is rare is looked at cell by
    cell: letters that end a cell or a line, that no text can hold, or that look like an absent value."""
    line = "\t".join(cells)
    rare = "\n" in line or "\r" in line or "\0" in line
    if rare or line.count("\t") != len(cells) - 1 or line.count(ABSENT) != cells.count(ABSENT):
        return "\t".join(cell if cell == ABSENT else cell.translate(_ESCAPES) for cell in cells)
    return line.replace("\\", "\\\\")


def threat_record(delivered: Delivered, event: Event) -> dict[str, Any]:
    """A record of query `event/add_threats`."""
    row = {name: value for name, value in event.fields.items() if name in _THREATS}
    return row | _common(delivered, event) | {"server_id": delivered.server_id, "ThreatHandled": _handled(event.fields)}


def product_record(delivered: Delivered, event: Event) -> dict[str, Any]:
    """A record of query `event/add_products`."""
    row = {name: value for name, value in event.fields.items() if name in _PRODUCTS}
    return row | _common(delivered, event) | {"leaf_id": delivered.leaf_id}


def as_parameter(records: Sequence[dict[str, Any]]) -> str:
    """The records as JSON; the one character that PostgreSQL's text cannot hold is left out."""
    encoded = msgspec.json.encode(records)
    if _NUL in encoded:
        encoded = msgspec.json.encode([{name: _clean(value) for name, value in row.items()} for row in records])
    return encoded.decode()


def _common(delivered: Delivered, event: Event) -> dict[str, Any]:
    return {
        "guid": delivered.guid,
        "key": event.key,
        "text": event.text,
        "detected": _seconds(event),
        "event_id": _within(event.event_id),
        "severity": _within(event.severity),
    }


def _seconds(event: Event) -> float:
    return min(max(event.detected, 0.0), _LAST_SECOND)


def _moment(event: Event) -> str:
    return datetime.fromtimestamp(_seconds(event), UTC).isoformat()


def _within(number: int) -> int:
    return min(max(number, -_MOST_NUMBER), _MOST_NUMBER)


def _handled(fields: dict[str, str]) -> bool | None:
    text = fields.get("ThreatHandled", "").strip().lower()
    return text in _YES if text in _YES or text in _NO else None


def _clean(value: Any) -> Any:
    return value.replace("\0", "") if isinstance(value, str) else value
