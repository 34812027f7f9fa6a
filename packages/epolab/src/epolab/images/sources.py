"""Which of this host's apt sources a node's root file system comes through: Debian's own, with the recipe's suite.

Sources of other makers (recognised by suite, component or key) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

KEYRING = "debian-archive-keyring"
_SUFFIXES = ("", "-updates", "-security")


@dataclass(frozen=True, slots=True)
class Source:
    """One repository as apt understands it."""

    address: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""

    def line(self) -> str:
        """As one line of a sources.list."""
        options = f" [signed-by={self.signed_by}]" if self.signed_by else ""
        return f"deb{options} {self.address} {self.suite} {' '.join(self.components)}"


def debian_sources(texts: Mapping[str, str], codename: str, suite: str) -> str:
    """A sources.list from the host's files (name → text); `codename` is the host's release, `suite` the image's."""
    kept = []
    for name, text in sorted(texts.items()):
        for source in _deb822(text) if name.endswith(".sources") else _one_line(text):
            if _is_debian(source, codename):
                moved = Source(source.address, suite + source.suite.removeprefix(codename), ("main",), source.signed_by)
                kept.append(moved.line())
    return "".join(f"{line}\n" for line in dict.fromkeys(kept))


def _is_debian(source: Source, codename: str) -> bool:
    known_suite = source.suite.rstrip("/") in {codename + suffix for suffix in _SUFFIXES}
    known_key = not source.signed_by or KEYRING in source.signed_by
    return known_suite and known_key and "main" in source.components


def _one_line(text: str) -> Iterator[Source]:
    for line in text.splitlines():
        found = re.match(
            r"\s*deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<rest>[^#]+)", line
        )
        if found:
            options = dict(word.split("=", 1) for word in (found["options"] or "").split() if "=" in word)
            yield Source(found["uri"], found["suite"], tuple(found["rest"].split()), options.get("signed-by", ""))


def _deb822(text: str) -> Iterator[Source]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza.splitlines())
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
            continue
        for address in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                signed_by = fields.get("signed-by", "")
                yield Source(address, suite, tuple(fields.get("components", "").split()), signed_by)


def _fields(lines: Iterable[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in lines:
        if line.startswith("#"):
            continue
        if line[:1].isspace():
            fields[name] = f"{fields.get(name, '')} {line.strip()}"
        elif ":" in line:
            name, value = line.split(":", 1)
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields
