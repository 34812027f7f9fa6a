"""The one door to YAML: text becomes a tree of values that know their line and column, or a problem that says where.

Strict on purpose: one document, no duplicate keys, no merge keys, no tags of its own. Anchors and aliases are allowed;
an alias that contains itself, a file that unfolds to more than 100,000 values or is nested 50 deep is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from epolab.model.problem import Problem, one_line

MAX_VALUES = 100_000
MERGE = "<<"
MAX_DEPTH = 50
_TAG = "tag:yaml.org,2002:"

Plain = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file; both numbers count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value: `text` as written, `value` as YAML 1.2 understands it."""

    place: Place
    text: str
    value: Plain


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of values."""

    place: Place
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order of the file; keys are unique."""

    place: Place
    entries: tuple[tuple[Scalar, Value], ...]


Value = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class YamlFile:
    """What was read: the tree (None if the text cannot be parsed at all) and the problems."""

    root: Value | None
    problems: tuple[Problem, ...]


class _Refused(Exception):
    """The reading cannot go on; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def read_yaml(path: Path, shown_as: str | None = None) -> YamlFile:
    """Read and parse one file; a file that cannot be read is a problem at 1:1."""
    name = shown_as or str(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return YamlFile(None, (_problem(name, Place(1, 1), "file-unreadable", f"cannot read the file: {reason}", ""),))
    return parse_bytes(data, name)


def parse_bytes(data: bytes, name: str) -> YamlFile:
    """Parse UTF-8 YAML; `name` is the file name that problems show."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return YamlFile(None, (_not_utf8(data, error.start, name),))
    return parse_text(text, name)


def parse_text(text: str, name: str) -> YamlFile:
    """Parse YAML text; `name` is the file name that problems show."""
    try:
        documents = list(_composer().compose_all(text))
    except RecursionError:
        return YamlFile(None, (_problem(name, Place(1, 1), "yaml-too-deep", "the file is nested too deeply", ""),))
    except MarkedYAMLError as error:
        return YamlFile(None, (_syntax_problem(name, error, text),))
    except YAMLError as error:
        return YamlFile(None, (_unprintable(name, error, text),))
    if not documents or documents[0] is None:
        hint = "a topology starts with `epolab: 1`"
        return YamlFile(None, (_problem(name, Place(1, 1), "file-empty", "the file is empty", hint),))
    reader = _Reader(name)
    try:
        root = reader.read(documents[0])
    except _Refused as refused:
        return YamlFile(None, (*reader.problems, refused.problem))
    if len(documents) > 1:
        message = "a second YAML document starts here; one file holds one lab"
        reader.report(_place(documents[1]), "yaml-documents", message, "remove the line `---` or split the file")
    return YamlFile(root, tuple(reader.problems))


def plain(value: Value) -> Any:
    """A tree as plain Python values, positions dropped."""
    if isinstance(value, Scalar):
        return value.value
    if isinstance(value, Sequence):
        return [plain(item) for item in value.items]
    return {key.text: plain(item) for key, item in value.entries}


def _composer() -> Any:
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = True
    yaml.composer.warn_double_anchors = False
    return yaml


def _place(node: Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _problem(name: str, place: Place, code: str, message: str, hint: str) -> Problem:
    return Problem(name, place.line, place.column, code, "error", one_line(message), hint)


def _not_utf8(data: bytes, start: int, name: str) -> Problem:
    before = data[:start]
    place = Place(before.count(b"\n") + 1, start - (before.rfind(b"\n") + 1) + 1)
    message = f"byte 0x{data[start]:02x} is not UTF-8"
    return _problem(name, place, "file-encoding", message, "save the file as UTF-8")


def _unprintable(name: str, error: YAMLError, text: str) -> Problem:
    position = getattr(error, "position", 0)
    before = text[:position] if isinstance(position, int) else ""
    place = Place(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
    return _problem(name, place, "yaml-syntax", "a character that YAML does not allow", "remove the control character")


def _syntax_problem(name: str, error: MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    if "\t" in line[: place.column]:
        tab = Place(place.line, line.index("\t") + 1)
        return _problem(name, tab, "yaml-tab", "a tab cannot indent YAML", "use spaces")
    said = " ".join(str(part) for part in (error.context, error.problem) if part)
    return _problem(name, place, "yaml-syntax", f"not valid YAML: {said}", _syntax_hint(said))


def _syntax_hint(said: str) -> str:
    if "flow" in said:
        return "a bracket or a brace is not closed, or a comma is missing"
    if "mapping values" in said:
        return "a text with `: ` in it must be quoted"
    if "block" in said:
        return "this line is indented differently from its neighbours, or a list entry lacks its `- `"
    return "a text with `:`, `#`, `*`, `&`, `!` or quotes in it must be quoted" if "scanning" in said else ""


class _Reader:
    """Turns the parser's nodes into values, gathering what is wrong with them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self._count = 0
        self._open: set[int] = set()
        self._kinds: dict[type[Node], Callable[[Any], Value]] = {
            ScalarNode: self._scalar,
            SequenceNode: self._sequence,
            MappingNode: self._mapping,
        }

    def report(self, place: Place, code: str, message: str, hint: str = "") -> None:
        """Note one problem."""
        self.problems.append(_problem(self.name, place, code, message, hint))

    def read(self, node: Node) -> Value:
        """One node and all below it."""
        self._count += 1
        if self._count > MAX_VALUES:
            self._refuse(node, "yaml-too-large", f"the file unfolds to more than {MAX_VALUES:,} values")
        if id(node) in self._open:
            self._refuse(node, "yaml-alias", "this value contains itself")
        if len(self._open) >= MAX_DEPTH:
            self._refuse(node, "yaml-too-deep", f"values are nested more than {MAX_DEPTH} deep")
        self._open.add(id(node))
        try:
            return self._kinds[type(node)](node)
        finally:
            self._open.discard(id(node))

    def _refuse(self, node: Node, code: str, message: str) -> None:
        raise _Refused(
            _problem(self.name, _place(node), code, message, "write the values out instead of using aliases")
        )

    def _scalar(self, node: ScalarNode) -> Scalar:
        tag = str(node.tag)
        if not tag.startswith(_TAG):
            self.report(_place(node), "yaml-tag", f"the tag {tag} has no meaning here", "remove the tag")
        return Scalar(_place(node), node.value, _plain_value(tag.removeprefix(_TAG), node.value))

    def _sequence(self, node: SequenceNode) -> Sequence:
        return Sequence(_place(node), tuple(self.read(item) for item in node.value))

    def _mapping(self, node: MappingNode) -> Mapping:
        entries: dict[str, tuple[Scalar, Value]] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            value = _beside(key, self.read(value_node))
            if key.text == MERGE:
                self._merge(key, value, entries)
            elif key.text in entries:
                self._duplicate(key, entries[key.text][0])
            else:
                entries[key.text] = (key, value)
        return Mapping(_place(node), tuple(entries.values()))

    def _key(self, node: Node) -> Scalar | None:
        if not isinstance(node, ScalarNode):
            self.report(_place(node), "yaml-key", "a key must be a plain word", "")
            return None
        return Scalar(_place(node), node.value, node.value)

    def _merge(self, key: Scalar, value: Value, entries: dict[str, tuple[Scalar, Value]]) -> None:
        """Refused, and yet followed, so that no key is reported as missing for it."""
        hint = "write the keys out, or use an alias for a whole value"
        self.report(key.place, "yaml-merge", "merge keys (<<) are not allowed", hint)
        if isinstance(value, Mapping):
            for name, item in value.entries:
                entries.setdefault(name.text, (name, item))

    def _duplicate(self, key: Scalar, first: Scalar) -> None:
        message = f'the key "{key.text}" is given twice; the first is on line {first.place.line}'
        self.report(key.place, "duplicate-key", message, "keep one of them")


def _beside(key: Scalar, value: Value) -> Value:
    """A value that was left out is where its key is; the parser would say the next line."""
    if isinstance(value, Scalar) and value.text == "" and value.value is None:
        return Scalar(key.place, value.text, value.value)
    return value


def _plain_value(kind: str, text: str) -> Plain:
    """A scalar by its YAML type; what is no number after all stays text."""
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("true", "yes", "on", "y")
    try:
        if kind == "int":
            return int(text.replace("_", ""), 0) if text.lower().startswith(("0x", "0o", "0b")) else int(text)
        if kind == "float":
            return float(text.replace("_", ""))
    except ValueError:
        return text
    return text
