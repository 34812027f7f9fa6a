"""The agent's log as its page on the wake-up port shows it: naLog XML with the latest lines (domain §4.3)."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

_COMPONENTS = {"agent.enforcement": 2, "agent.properties": 2, "agent.update": 4, "agent.tasks": 64}
_AGENT_COMPONENT = 8192
_TYPES = {logging.ERROR: 1, logging.WARNING: 2, logging.INFO: 3, logging.DEBUG: 4}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line: the component's bit, wall-clock seconds, the type (3 = info) and the text."""

    component: int
    at: float
    type: int
    text: str


class LogPage(logging.Handler):
    """Collects the agent's log lines and renders the page; only the latest `capacity` are kept."""

    def __init__(self, capacity: int = 200) -> None:
        super().__init__(logging.INFO)
        self._lines: deque[LogLine] = deque(maxlen=capacity)

    def emit(self, record: logging.LogRecord) -> None:
        component = _COMPONENTS.get(record.name, _AGENT_COMPONENT)
        kind = _TYPES.get(record.levelno, _TYPES[logging.INFO])
        self._lines.append(LogLine(component, record.created, kind, record.getMessage()))

    def render(self, computer_name: str, version: str, guid: str) -> str:
        """The page's XML; the GUID stands in braces here."""
        head = (
            f"ComputerName={quoteattr(computer_name)} version={quoteattr(version)} AgentGUID={quoteattr(f'{{{guid}}}')}"
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<?xml-stylesheet type="text/xsl" href="FrameworkLog.xsl"?>\n'
            f"<naLog {head}>\n{''.join(map(_element, self._lines))}</naLog>\n"
        )


def _element(line: LogLine) -> str:
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(line.at))
    text = escape("".join(letter if letter.isprintable() else " " for letter in line.text))
    return f'<Log component="{line.component}" time="{at}" type="{line.type}">{text}</Log>\n'
