"""How the values of a topology file are read strictly and described in the schema: the simple ones.

A spec decodes a YAML value into a located Python value, or reports what is wrong and gives None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Any, Generic, Protocol, TypeVar

from epolab.topology.quantity import Quantity, QuantityError
from epolab.topology.report import Located, Path, Report, closest, did_you_mean
from epolab.yaml_file import Scalar, Sequence, Value

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Network = TypeVar("Network", IPv4Network, IPv6Network)

Schema = dict[str, Any]


class Spec(Protocol[T_co]):
    """What a value may be."""

    def decode(self, value: Value, path: Path, report: Report) -> Located[T_co] | None:
        """The value read, or None after a report."""

    def schema(self) -> Schema:
        """The value as JSON Schema."""

    def describe(self) -> str:
        """The value in a few words, for the reference."""


def kind_of(value: Value) -> str:
    """What a YAML value is, in a person's words."""
    if isinstance(value, Sequence):
        return "a list"
    if not isinstance(value, Scalar):
        return "a mapping"
    if value.value is None:
        return "empty"
    names: dict[type, str] = {bool: "the boolean", int: "the number", float: "the number", str: "the text"}
    quote = '"' if isinstance(value.value, str) else ""
    return f"{names[type(value.value)]} {quote}{value.text}{quote}"


def refuse_type(value: Value, wanted: str, path: Path, report: Report, hint: str = "") -> None:
    """Report that a value is of the wrong kind."""
    message = f'"{path[-1]}" must be {wanted}, but it is {kind_of(value)}'
    report.error(value.place, "wrong-type", message, hint, spoils=path)


def text_of(value: Value) -> str | None:
    """The text of a scalar that is no null and no boolean; numbers count as they are written."""
    if isinstance(value, Scalar) and value.value is not None and not isinstance(value.value, bool):
        return value.text
    return None


@dataclass(frozen=True)
class Text:
    """Text that follows a pattern."""

    noun: str = "text"
    pattern: str = r".+"
    rule: str = "text"
    code: str = "bad-text"
    max_length: int | None = None
    shown: str | None = None

    def decode(self, value: Value, path: Path, report: Report) -> Located[str] | None:
        text = text_of(value)
        if text is None:
            refuse_type(value, "text", path, report)
            return None
        return self.check(Located(text, value.place), path, report)

    def matches(self, text: str) -> bool:
        """Whether a text follows the pattern, its length aside."""
        return re.fullmatch(self.pattern, text, re.DOTALL) is not None

    def check(self, text: Located[str], path: Path, report: Report) -> Located[str] | None:
        """Text that was a value or a key."""
        if self.max_length is not None and len(text.value) > self.max_length:
            message = f'the {self.noun} "{text.value}" has {len(text.value)} characters; {self.max_length} are allowed'
            report.error(text.place, f"{self.code}-length", message, self.rule, spoils=path)
            return None
        if not self.matches(text.value):
            message = f'"{text.value}" is not a valid {self.noun}'
            report.error(text.place, self.code, message, self.rule, spoils=path)
            return None
        return text

    def schema(self) -> Schema:
        length = {} if self.max_length is None else {"maxLength": self.max_length}
        return (
            {"type": "string", "pattern": f"^{self.pattern}$", **length} if self.pattern != ".+" else {"type": "string"}
        )

    def describe(self) -> str:
        return self.shown or self.rule


@dataclass(frozen=True)
class Choice:
    """One of a few words; some words are known but not supported yet."""

    noun: str
    words: tuple[str, ...]
    later: Mapping[str, str] = field(default_factory=dict)
    code: str = "unknown-word"
    recover: bool = False
    """Go on with the nearest known word, or without, instead of giving the whole value up."""

    def decode(self, value: Value, path: Path, report: Report) -> Located[str] | None:
        text = text_of(value)
        if text is None:
            refuse_type(value, f"one of {', '.join(self.words)}", path, report)
            return None
        if text in self.later:
            message = f'the {self.noun} "{text}" is not supported yet'
            report.error(value.place, "not-supported", message, self.later[text], spoils=self._spoils(path))
            return None
        if text not in self.words:
            message = f'"{text}" is not a {self.noun}{did_you_mean(text, self.words)}'
            hint = f"known are {', '.join(self.words)}"
            report.error(value.place, self.code, message, hint, spoils=self._spoils(path))
            guess = closest(text, self.words) if self.recover else None
            return None if guess is None else Located(guess, value.place)
        return Located(text, value.place)

    def _spoils(self, path: Path) -> Path | None:
        return None if self.recover else path

    def schema(self) -> Schema:
        return {"type": "string", "enum": list(self.words)}

    def describe(self) -> str:
        return "one of " + ", ".join(f"`{word}`" for word in self.words)


@dataclass(frozen=True)
class Whole:
    """A whole number within bounds."""

    minimum: int
    maximum: int
    code: str = "out-of-bounds"
    hint: str = ""

    def decode(self, value: Value, path: Path, report: Report) -> Located[int] | None:
        if not isinstance(value, Scalar) or isinstance(value.value, bool) or not isinstance(value.value, int):
            refuse_type(value, "a whole number", path, report)
            return None
        if not self.minimum <= value.value <= self.maximum:
            message = f'"{path[-1]}" is {value.value}, but must be {self._bounds()}'
            report.error(value.place, self.code, message, self.hint, spoils=path)
            return None
        return Located(value.value, value.place)

    def _bounds(self) -> str:
        return f"{self.minimum} to {self.maximum}" if self.minimum < self.maximum else str(self.minimum)

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}

    def describe(self) -> str:
        return f"whole number, {self._bounds()}"


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def decode(self, value: Value, path: Path, report: Report) -> Located[bool] | None:
        if isinstance(value, Scalar) and isinstance(value.value, bool):
            return Located(value.value, value.place)
        refuse_type(value, "true or false", path, report)
        return None

    def schema(self) -> Schema:
        return {"type": "boolean"}

    def describe(self) -> str:
        return "`true` or `false`"


@dataclass(frozen=True)
class Amount:
    """A quantity with a unit, as a number of its base unit."""

    quantity: Quantity

    def decode(self, value: Value, path: Path, report: Report) -> Located[Decimal] | None:
        text = text_of(value)
        if text is None:
            refuse_type(value, f"a {self.quantity.noun}", path, report, f"write it like {self.quantity.example}")
            return None
        try:
            return Located(self.quantity.parse(text), value.place)
        except QuantityError as error:
            code = f"{self.quantity.noun}-{error.kind}"
            report.error(value.place, code, f"{path[-1]}: {error.message}", error.hint, spoils=path)
            return None

    def schema(self) -> Schema:
        text: Schema = {"type": "string", "pattern": self.quantity.pattern}
        return text if self.quantity.minimum > 0 else {"anyOf": [text, {"const": 0}]}

    def describe(self) -> str:
        return f"{self.quantity.noun} such as `{self.quantity.example}`, {self.quantity.bounds}"


@dataclass(frozen=True)
class NetworkText(Generic[Network]):
    """A network in CIDR text, of one family."""

    family: type[Network]

    def decode(self, value: Value, path: Path, report: Report) -> Located[Network] | None:
        text = text_of(value)
        if text is None:
            refuse_type(value, "a network in CIDR text", path, report, f"write it like {self._example()}")
            return None
        try:
            return Located(self.family(text), value.place)
        except ValueError:
            report.error(value.place, "bad-network", self._message(text), self._hint(text), spoils=path)
            return None

    def _name(self) -> str:
        return "IPv4" if self.family is IPv4Network else "IPv6"

    def _example(self) -> str:
        return "10.1.0.0/24" if self.family is IPv4Network else "fd00:1::/64"

    def _message(self, text: str) -> str:
        return f'"{text}" is not an {self._name()} network'

    def _hint(self, text: str) -> str:
        try:
            loose = ip_network(text, strict=False)
        except ValueError:
            return f"write it like {self._example()}"
        same = isinstance(loose, self.family)
        return f"host bits are set; the network is {loose}" if same else f"write it like {self._example()}"

    def schema(self) -> Schema:
        return {
            "type": "string",
            "pattern": r"^[0-9.]+/[0-9]+$" if self.family is IPv4Network else r"^[0-9a-fA-F:.]+/[0-9]+$",
        }

    def describe(self) -> str:
        return f"{self._name()} network such as `{self._example()}`"


@dataclass(frozen=True)
class AddressText:
    """One address of one family."""

    family: type[IPv4Address] | type[IPv6Address]

    def decode(self, value: Value, path: Path, report: Report) -> Located[IPv4Address | IPv6Address] | None:
        text = text_of(value)
        if text is None:
            refuse_type(value, "an address", path, report)
            return None
        try:
            return Located(self.family(text), value.place)
        except ValueError:
            message = f'"{text}" is not an {self.describe()}'
            report.error(value.place, "bad-address", message, "write the address alone, without a prefix", spoils=path)
            return None

    def schema(self) -> Schema:
        return {"type": "string", "format": "ipv4" if self.family is IPv4Address else "ipv6"}

    def describe(self) -> str:
        return "IPv4 address" if self.family is IPv4Address else "IPv6 address"
