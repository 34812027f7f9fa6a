"""What is wrong with a file the user wrote, and where."""

from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["error", "warning"]


MAX_MESSAGE = 300


def one_line(text: str) -> str:
    """A message without line breaks, and no longer than a person reads."""
    joined = " ".join(text.split())
    return joined if len(joined) <= MAX_MESSAGE else f"{joined[: MAX_MESSAGE - 1]}…"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a user's file; line and column count from 1."""

    file: str
    line: int
    column: int
    code: str
    severity: Severity
    message: str
    hint: str

    def to_document(self) -> dict[str, object]:
        """The problem as the contract's JSON document has it."""
        return asdict(self)

    def render(self) -> str:
        """The problem as people read it: one line, and the hint below it."""
        head = f"{self.file}:{self.line}:{self.column}: {self.severity}: {self.message} [{self.code}]"
        return f"{head}\n    {self.hint}" if self.hint else head
