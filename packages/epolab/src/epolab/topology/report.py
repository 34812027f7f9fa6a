"""Where the problems of one file are gathered, with the part of the file that each one spoils."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Generic, TypeVar

from epolab.model.problem import Problem, Severity, one_line
from epolab.yaml_file import Place

T_co = TypeVar("T_co", covariant=True)

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Located(Generic[T_co]):
    """A decoded value and where it was written."""

    value: T_co
    place: Place


class Report:
    """All problems of one file; `spoiled` answers whether a part of the file could not be understood."""

    def __init__(self, file: str, problems: Iterable[Problem] = ()) -> None:
        self.file = file
        self._problems: list[Problem] = list(problems)
        self._spoiled: set[Path] = set()

    def error(self, place: Place, code: str, message: str, hint: str = "", spoils: Path | None = None) -> None:
        """Note an error; `spoils` is the path of the part of the file whose meaning is lost."""
        self._add(place, code, "error", message, hint)
        if spoils is not None:
            self._spoiled.add(spoils)

    def warning(self, place: Place, code: str, message: str, hint: str = "") -> None:
        """Note a warning: the lab can be built all the same."""
        self._add(place, code, "warning", message, hint)

    def _add(self, place: Place, code: str, severity: Severity, message: str, hint: str) -> None:
        self._problems.append(Problem(self.file, place.line, place.column, code, severity, one_line(message), hint))

    def spoiled(self, *pattern: str) -> bool:
        """Whether something at, below or above a path was not understood; `*` stands for any one word."""
        return any(_touches(pattern, path) for path in self._spoiled)

    def lost(self, *pattern: str) -> bool:
        """Whether something at or above a path was not understood, so that what should be there is not known."""
        return any(len(path) <= len(pattern) and _touches(pattern, path) for path in self._spoiled)

    @property
    def problems(self) -> list[Problem]:
        """All problems in the order of the file, each one once; syntax before meaning at the same place."""
        unique = dict.fromkeys(self._problems)
        return sorted(unique, key=lambda p: (p.line, p.column, p.severity))

    @property
    def errors(self) -> list[Problem]:
        """The problems that forbid building the lab."""
        return [problem for problem in self.problems if problem.severity == "error"]


def _touches(pattern: Path, path: Path) -> bool:
    return all(wanted in ("*", word) for wanted, word in zip(pattern, path, strict=False))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` did you mean "x"?` if a known word is close, else nothing; it follows a message."""
    close = get_close_matches(word.lower(), list(known), n=1, cutoff=0.65)
    return f'; did you mean "{close[0]}"?' if close else ""


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is close to a word, if one is."""
    return next(iter(get_close_matches(word.lower(), list(known), n=1, cutoff=0.65)), None)
