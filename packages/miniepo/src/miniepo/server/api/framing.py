"""How a reply is framed and its value written: terse, verbose, JSON or XML (domain §7.2, §7.4; pure).

`OK:` CR LF body, or `Error <n> :` CR LF message, both with HTTP 200. JSON in the style that was recorded: a space on
each side of the colon, `/`, `<` and `>` as \\u escapes, `[ ]` for an empty list, times in ISO-8601 with an offset.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

OUTPUTS = ("terse", "verbose", "json", "xml")
CONTENT_TYPE = "text/plain; charset=utf-8"


def ok(body: str) -> str:
    """A success."""
    return f"OK:\r\n{body}"


def error(code: int, message: str) -> str:
    """A failure."""
    return f"Error {code} :\r\n{message}"


def write(value: Any, output: str, element: str = "") -> str:
    """A value in one of the output forms; `element` is the path of element names that one XML list entry takes."""
    if output == "json":
        return write_json(value)
    if output == "xml":
        return write_xml(value, element)
    return write_text(value)


def write_json(value: Any) -> str:
    """A value as JSON in the recorded style."""
    if isinstance(value, Mapping):
        pairs = (f"{write_json(str(key))} : {write_json(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}" if value else "{ }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[ " + ", ".join(map(write_json, value)) + (" ]" if value else "]")
    if isinstance(value, datetime):
        return json.dumps(iso(value))
    if isinstance(value, str):
        return json.dumps(value).replace("/", "\\u002f").replace("<", "\\u003c").replace(">", "\\u003e")
    return json.dumps(value)


def iso(moment: datetime) -> str:
    """A moment as ISO-8601 with an offset, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def write_text(value: Any) -> str:
    """A value for people: `Key: value` lines per object, an empty line between objects, one line per plain entry."""
    if isinstance(value, Mapping):
        return "".join(f"{key}: {plain(item)}\r\n" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "\r\n".join(write_text(item) for item in value)
    return plain(value)


def plain(value: Any) -> str:
    """One value in a line of text; nothing is `None`, a switch is `true` or `false`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, default=str)
    return str(value)


def write_xml(value: Any, element: str) -> str:
    """A value as `<result>…</result>`; entries of a list are wrapped in the elements that `element` names, `a/b`."""
    root = ElementTree.Element("result")
    if isinstance(value, Sequence) and not isinstance(value, str):
        listed = ElementTree.SubElement(root, "list")
        for item in value:
            _fill(_nested(listed, element or "element"), item)
    else:
        _fill(root, value)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\r\n{text}'


def _nested(parent: ElementTree.Element, path: str) -> ElementTree.Element:
    for name in path.split("/"):
        parent = ElementTree.SubElement(parent, name)
    return parent


def _fill(parent: ElementTree.Element, value: Any) -> None:
    if not isinstance(value, Mapping):
        parent.text = _xml_safe(plain(value))
        return
    for key, item in value.items():
        child = ElementTree.SubElement(parent, str(key))
        child.text = "" if item is None else _xml_safe(plain(item))


def _xml_safe(text: str) -> str:
    """XML 1.0 has no place for most control characters: they are left out."""
    return "".join(sign for sign in text if sign in "\t\n\r" or sign >= " ")
