"""How the values of a topology file are read strictly and described in the schema: lists, mappings and records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar, cast

from epolab.topology.report import Located, Path, Report, closest
from epolab.topology.specs import Schema, Spec, Text, refuse_type
from epolab.yaml_file import Mapping as YamlMapping
from epolab.yaml_file import Place, Scalar, Sequence, Value

T = TypeVar("T")


@dataclass(frozen=True)
class Many(Generic[T]):
    """A list of values; where `scalar_too`, a single value stands for a list of one."""

    item: Spec[T]
    scalar_too: bool = False
    minimum: int = 0
    exactly: int | None = None

    def decode(self, value: Value, path: Path, report: Report) -> Located[tuple[Located[T], ...]] | None:
        if isinstance(value, Scalar) and value.value is None and self.minimum == 0 and self.exactly is None:
            return Located((), value.place)
        if not isinstance(value, Sequence):
            if self.scalar_too and isinstance(value, Scalar):
                return self._of((value,), value.place, path, report)
            refuse_type(value, "a list", path, report)
            return None
        if self._wrong_length(value, path, report):
            return None
        return self._of(value.items, value.place, path, report)

    def _of(
        self, values: tuple[Value, ...], place: Place, path: Path, report: Report
    ) -> Located[tuple[Located[T], ...]]:
        items = [self.item.decode(item, path, report) for item in values]
        return Located(tuple(item for item in items if item is not None), place)

    def _wrong_length(self, value: Sequence, path: Path, report: Report) -> bool:
        wanted = self.exactly if self.exactly is not None else self.minimum
        few = len(value.items) < wanted
        if not few and (self.exactly is None or len(value.items) == self.exactly):
            return False
        some = f"exactly {wanted}" if self.exactly is not None else f"at least {wanted}"
        message = f'"{path[-1]}" has {len(value.items)} entries, but needs {some}'
        report.error(value.place, "wrong-length", message, "", spoils=path)
        return True

    def schema(self) -> Schema:
        bounds: Schema = {"minItems": self.minimum} if self.minimum else {}
        if self.exactly is not None:
            bounds = {"minItems": self.exactly, "maxItems": self.exactly}
        item = self.item.schema()
        listed: Schema = {"type": "array", "items": item, **bounds}
        return {"anyOf": [item, listed]} if self.scalar_too else listed

    def describe(self) -> str:
        one = self.item.describe()
        return f"{one}; or a list of them" if self.scalar_too else f"list: {one}"


Entries = tuple[tuple[Located[str], T], ...]


@dataclass(frozen=True)
class Table(Generic[T]):
    """A mapping from names to values, in the order of the file; where `empty_too`, nothing stands for `{}`."""

    key: Text
    value: Spec[T]
    minimum: int = 0

    def decode(self, value: Value, path: Path, report: Report) -> Located[Entries[Located[T]]] | None:
        if isinstance(value, Scalar) and value.value is None and self.minimum == 0:
            return Located((), value.place)
        if not isinstance(value, YamlMapping):
            refuse_type(value, "a mapping", path, report)
            return None
        if len(value.entries) < self.minimum:
            report.error(
                value.place, "wrong-length", f'"{path[-1]}" is empty', f"name at least {self.minimum}", spoils=path
            )
        pairs = [self._entry(key, item, path, report) for key, item in value.entries]
        return Located(tuple(pair for pair in pairs if pair is not None), value.place)

    def _entry(self, key: Scalar, item: Value, path: Path, report: Report) -> tuple[Located[str], Located[T]] | None:
        name = self.key.check(Located(key.text, key.place), (*path, key.text), report)
        decoded = self.value.decode(item, (*path, key.text), report)
        return None if name is None or decoded is None else (name, decoded)

    def schema(self) -> Schema:
        names = {k: v for k, v in self.key.schema().items() if k != "type"}
        size: Schema = {"minProperties": self.minimum} if self.minimum else {}
        kinds: Any = "object" if self.minimum else ["object", "null"]
        return {"type": kinds, "propertyNames": names, "additionalProperties": self.value.schema(), **size}

    def describe(self) -> str:
        return f"mapping from {self.key.noun} to {self.value.describe()}"


@dataclass(frozen=True)
class Key:
    """One key of a record: what it may be, what it means, and whether it must be there."""

    spec: Spec[Any]
    meaning: str
    required: bool = False
    written: str | None = None
    unless: str | None = None


def key(
    spec: Spec[Any], meaning: str, *, required: bool = False, written: str | None = None, unless: str | None = None
) -> Any:
    """A field of a file record; `written` is the key in the file where Python cannot use it.

    What is required may be left out where the key `unless` is there.
    """
    return field(default=None, metadata={"key": Key(spec, meaning, required, written, unless)})


def keys_of(record: type[Any]) -> dict[str, tuple[str, Key]]:
    """The keys of a file record as they are written: field name and description."""
    found = {f.name: cast(Key, f.metadata["key"]) for f in fields(record) if "key" in f.metadata}
    return {k.written or name: (name, k) for name, k in found.items()}


@dataclass(frozen=True)
class Record(Generic[T]):
    """A mapping with known keys, read into a file record (a dataclass whose fields were made by `key`)."""

    of: type[T]
    noun: str
    empty_too: bool = False
    later: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[T, Place, Path, Report], None] | None = None

    def decode(self, value: Value, path: Path, report: Report) -> Located[T] | None:
        if isinstance(value, Scalar) and value.value is None and self.empty_too:
            return Located(self.of(), value.place)
        if not isinstance(value, YamlMapping):
            refuse_type(value, f"a mapping that describes {self.noun}", path, report, self._known())
            return None
        record = self._build(value, path, report)
        if self.check is not None:
            self.check(record, value.place, path, report)
        return Located(record, value.place)

    def _build(self, value: YamlMapping, path: Path, report: Report) -> T:
        known = keys_of(self.of)
        given: dict[str, Any] = {}
        unknown: list[Scalar] = []
        for name, item in value.entries:
            if name.text in known:
                attribute, spec = known[name.text]
                given[attribute] = spec.spec.decode(item, (*path, name.text), report)
            else:
                unknown.append(name)
        present = {name.text for name, _ in value.entries}
        absent = [name for name in known if name not in present]
        guessed = {self._unknown(name, absent, path, report) for name in unknown}
        needed = [n for n in absent if known[n][1].required and known[n][1].unless not in present]
        self._missing([n for n in needed if n not in guessed], value.place, path, report)
        return self.of(**given)

    def _unknown(self, name: Scalar, absent: list[str], path: Path, report: Report) -> str | None:
        if name.text in self.later:
            message = f'"{name.text}" is not supported yet'
            report.error(name.place, "not-supported", message, self.later[name.text], spoils=(*path, name.text))
            return None
        guess = closest(name.text, absent)
        suggestion = f'; did you mean "{guess}"?' if guess else ""
        message = f'"{name.text}" is not a key of {self.noun}{suggestion}'
        report.error(name.place, "unknown-key", message, self._known(), spoils=(*path, guess or name.text))
        return guess

    def _missing(self, names: list[str], place: Place, path: Path, report: Report) -> None:
        for name in names:
            message = f'{self.noun} needs the key "{name}"'
            meaning = keys_of(self.of)[name][1].meaning.partition(". ")[0].rstrip(".")
            report.error(place, "missing-key", message, f"{name}: {meaning}", spoils=(*path, name))

    def _known(self) -> str:
        return f"keys of {self.noun}: {', '.join(keys_of(self.of))}"

    def schema(self) -> Schema:
        known = keys_of(self.of)
        properties = {name: {**k.spec.schema(), "description": k.meaning} for name, (_, k) in known.items()}
        required = [name for name, (_, k) in known.items() if k.required and k.unless is None]
        either = [[{"required": [n]}, {"required": [k.unless]}] for n, (_, k) in known.items() if k.unless is not None]
        kinds: Any = ["object", "null"] if self.empty_too else "object"
        body: Schema = {"type": kinds, "properties": properties, "additionalProperties": False}
        choices: Schema = {"anyOf": either[0]} if either else {}
        return {**body, "required": required, **choices} if required else {**body, **choices}

    def describe(self) -> str:
        return self.noun
