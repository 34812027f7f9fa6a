"""Quantities with units as people write them: rates, durations, ratios and sizes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

_FORM = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([^\s0-9.].*)?")


@dataclass(frozen=True, slots=True)
class Quantity:
    """One kind of quantity: its units (lower case) as factors of the base unit, its bounds and what it looks like."""

    noun: str
    units: Mapping[str, Decimal]
    base: str
    minimum: Decimal
    maximum: Decimal
    example: str
    pattern: str
    bounds: str
    confused: Mapping[str, str]

    def parse(self, text: str) -> Decimal:
        """The amount in the base unit; QuantityError says what would be right."""
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise QuantityError("form", f'"{text}" is not a {self.noun}', f"write it like {self.example}")
        number, unit = Decimal(found[1]), (found[2] or "").strip().lower()
        if unit == "" and number != 0:
            raise QuantityError("unit", f'"{text}" has no unit', f"write it like {self.example}")
        if unit != "" and unit not in self.units:
            raise QuantityError("unit", f'"{found[2].strip()}" is not a unit of a {self.noun}', self._unit_hint(unit))
        return self._bounded(text, number * self.units.get(unit, Decimal(1)))

    def _unit_hint(self, unit: str) -> str:
        return self.confused.get(unit, f"units are {', '.join(self.units)}; write it like {self.example}")

    def _bounded(self, text: str, amount: Decimal) -> Decimal:
        if not self.minimum <= amount <= self.maximum:
            raise QuantityError("bounds", f'the {self.noun} "{text}" is out of bounds', f"allowed is {self.bounds}")
        return amount


class QuantityError(ValueError):
    """A text is not the quantity it should be; `kind` is form, unit or bounds."""

    def __init__(self, kind: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint


def _factors(**units: str) -> dict[str, Decimal]:
    return {name: Decimal(factor) for name, factor in units.items()}


_RATE_UNITS = _factors(bit="1", kbit="1e3", mbit="1e6", gbit="1e9")
RATE = Quantity(
    noun="rate",
    units={**_RATE_UNITS, **{f"{unit}/s": factor for unit, factor in _RATE_UNITS.items()}},
    base="bit/s",
    minimum=Decimal(8_000),
    maximum=Decimal(10_000_000_000),
    example="10mbit",
    pattern=r"^[0-9.]+ *([kKmMgG]?[bB][iI][tT](/s)?)$",
    bounds="8kbit to 10gbit",
    confused={
        "mbps": "mbps is read as megabytes by some and megabits by others; write 10mbit",
        "kbps": "kbps is read as kilobytes by some and kilobits by others; write 512kbit",
        "gbps": "gbps is read as gigabytes by some and gigabits by others; write 1gbit",
        "m": "write mbit for megabits per second",
        "k": "write kbit for kilobits per second",
        "g": "write gbit for gigabits per second",
    },
)

_TIME_UNITS = _factors(us="0.001", ms="1", s="1000", m="60000", min="60000", h="3600000")
_TIME_PATTERN = r"^([0-9.]+ *(us|ms|s|m|min|h)|0)$"


def duration(minimum_ms: str, maximum_ms: str, bounds: str, example: str) -> Quantity:
    """A span of time in milliseconds, within bounds."""
    return Quantity(
        noun="duration",
        units=_TIME_UNITS,
        base="ms",
        minimum=Decimal(minimum_ms),
        maximum=Decimal(maximum_ms),
        example=example,
        pattern=_TIME_PATTERN,
        bounds=bounds,
        confused={"sec": "write s for seconds", "seconds": "write s for seconds", "msec": "write ms for milliseconds"},
    )


DELAY = duration("0", "10000", "0 to 10s", "40ms")
QUEUE = duration("1", "60000", "1ms to 60s", "200ms")
ASCI = duration("1000", "86400000", "1s to 24h", "10s")
EVERY = duration("1000", "2678400000", "1s to 744h", "60s")

LOSS = Quantity(
    noun="loss",
    units={"%": Decimal("0.01")},
    base="ratio",
    minimum=Decimal(0),
    maximum=Decimal("0.5"),
    example="0.1%",
    pattern=r"^([0-9.]+ *%|0)$",
    bounds="0% to 50%",
    confused={},
)

_SIZE_UNITS = _factors(kib="0.0009765625", mib="1", gib="1024", mb="0.95367431640625", gb="953.67431640625")
SIZE = Quantity(
    noun="size",
    units=_SIZE_UNITS,
    base="MiB",
    minimum=Decimal(32),
    maximum=Decimal(1_048_576),
    example="512MiB",
    pattern=r"^[0-9.]+ *([kKmMgG][iI][bB]|[mMgG][bB])$",
    bounds="32MiB to 1024GiB",
    confused={"m": "write MiB", "g": "write GiB", "mi": "write MiB", "gi": "write GiB"},
)
