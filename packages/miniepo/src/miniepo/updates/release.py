"""What the vendor releases on one day: versions, file names and contents, all made from a seed (pure).

The published shapes are kept (domain §3.3): product VSCANDAT1000, type DAT, language 0000, detection script
V2datdet.mcs, `gdeltaavv.ini` with about 35 increments, increments named `<from><to>avv.gem`, full set
`avvdat-<version>.zip` [secondary]. The bytes themselves are noise of the right size.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from miniepo.protocol.content import BASE_DAT_VERSION, DAT_DETECTION_SCRIPT, DAT_PRODUCT, CatalogEntry

INCREMENTS_OFFERED = 35
INDEX = "gdeltaavv.ini"


@dataclass(frozen=True, slots=True)
class Release:
    """The content of one day; `number` counts from 1, the DAT version from the one installers bring along."""

    number: int
    seed: str
    increment_bytes: int
    full_set_bytes: int

    @property
    def dat(self) -> int:
        """The DAT version as a number, such as 10001."""
        return BASE_DAT_VERSION + self.number

    @property
    def version(self) -> str:
        """The DAT version as catalogs write it, such as `10001.0000`."""
        return f"{self.dat}.0000"

    @property
    def entry(self) -> CatalogEntry:
        """The package in the site's catalog."""
        return CatalogEntry("Current", DAT_PRODUCT, "DAT", "0000", self.version)

    @property
    def full_set_name(self) -> str:
        """The file that needs nothing before it."""
        return f"avvdat-{self.dat}.zip"

    @property
    def increment_name(self) -> str:
        """The file that leads here from the day before."""
        return f"{self.dat - 1}{self.dat}avv.gem"

    @property
    def before(self) -> Release | None:
        """The release of the day before; None for the first."""
        if self.number == 1:
            return None
        return Release(self.number - 1, self.seed, self.increment_bytes, self.full_set_bytes)

    def increment(self) -> bytes:
        """The bytes of the increment."""
        return noise(f"{self.seed}/{self.increment_name}", self.increment_bytes)

    def full_set(self) -> bytes:
        """The bytes of the full set."""
        return noise(f"{self.seed}/{self.full_set_name}", self.full_set_bytes)

    def script(self) -> bytes:
        """The detection script that an agent must find before it looks at the product."""
        return f"; {DAT_DETECTION_SCRIPT}\nproduct={DAT_PRODUCT}\nversion={self.version}\n".encode()


def noise(seed: str, size: int) -> bytes:
    """`size` bytes that look random and are always the same for a seed."""
    return hashlib.shake_256(seed.encode()).digest(size)


def offered(release: Release) -> tuple[Release, ...]:
    """The releases whose increments are still offered, the oldest first."""
    found: list[Release] = []
    each: Release | None = release
    while each is not None and len(found) < INCREMENTS_OFFERED:
        found.append(each)
        each = each.before
    return tuple(reversed(found))


def index(release: Release, increments: Mapping[str, bytes]) -> str:
    """gdeltaavv.ini of a release; CurrentVersion stands last in its section, lines end in CR LF (domain §3.3)."""
    steps = [each for each in offered(release) if each.increment_name in increments]
    lines = ["[Contents]", f"LastIncremental={len(steps)}", f"Created={release.number}"]
    lines += [f"CurrentVersion={release.dat}", "", "[Multiple Patch Table]"]
    lines += [f"{each.dat - 1}={place}" for place, each in enumerate(steps, 1)]
    lines += ["", "[Incremental Resolver]"]
    lines += [f"{place}={each.increment_name}" for place, each in enumerate(steps, 1)]
    lines += ["", "[Patch Validation]"]
    lines += [f"{each.increment_name}={zlib.crc32(increments[each.increment_name])}" for each in steps]
    return "\r\n".join([*lines, ""])
