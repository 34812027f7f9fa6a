"""Asking a lab for its verdict, and judging it: all of it positive, or exactly one promise negative."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epolab.model import facts
from epolab.model.topology import Topology
from epolab.verify.web_api import body_of, shell_text
from tests.acceptance.broken_promises import on, rules
from tests.acceptance.lab import epolab

LOG = logging.getLogger(__name__)
LIMIT_SECONDS = 900
NOISE = "scheduling noise of this machine"
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Examined:
    """A lab that is up: its EPOLAB_HOME, its name and what its file says."""

    home: Path
    lab: str
    topology: Topology

    def assert_positive(self, *words: str) -> Rows:
        """The verdict (of some promises: `-k`, `wan`) is positive, and nothing was skipped.

        Links that this machine was too busy to measure say so; where nothing else is wrong they are measured once more.
        """
        rows, failed = self.verdict(*words)
        if failed and all(NOISE in row["observed"] for row in failed):
            LOG.warning("once more, because this machine was too noisy to measure:\n%s", told(failed))
            _, failed = self.verdict("-k", "wan")
        assert not failed, told(failed)
        return rows

    def verdict(self, *words: str) -> tuple[Rows, Rows]:
        """A verdict without anything skipped: all its rows, and those that are not positive."""
        spoken = epolab(self.home, "verify", self.lab, *words, limit_seconds=LIMIT_SECONDS)
        rows: Rows = spoken.document["results"]
        failed = [row for row in rows if row["outcome"] != "passed"]
        assert (spoken.code, spoken.document["skipped"]) == (1 if failed else 0, 0), spoken.text
        return rows, failed

    def failures(self, broken: str, kept: Sequence[str]) -> Rows:
        """What fails in a broken promise; the verdict on it must be negative, on those kept beside it positive."""
        spoken = epolab(self.home, "verify", self.lab, "-k", " or ".join((broken, *kept)), limit_seconds=LIMIT_SECONDS)
        assert spoken.code == 1, spoken.document
        assert {row["promise"] for row in spoken.document["results"]} == {broken, *kept}
        assert spoken.document["skipped"] == 0
        rows: Rows = [row for row in spoken.document["results"] if row["outcome"] == "failed"]
        assert {row["promise"] for row in rows} == {broken}, told(rows)
        return rows

    def failed_checks(self, expression: str) -> Rows:
        """What fails of single checks, named by pytest's `-k`, of which at least one has to fail."""
        spoken = epolab(self.home, "verify", self.lab, "-k", expression, limit_seconds=LIMIT_SECONDS)
        assert spoken.code == 1, spoken.document
        return [row for row in spoken.document["results"] if row["outcome"] == "failed"]

    def api(self, command: str, **arguments: str) -> Any:
        """The Web API, asked on the server's own node."""
        return body_of(command, on(self.lab, facts.server(self.topology).path, shell_text(command, arguments)))

    def no_rule(self, tool: str, node: str) -> str:
        """What the verdict observes where no rule of a node stands for an exception."""
        return f"{tool} on {node}: none of the {len(rules(self.lab, node, tool))} rules lets it in"


def nodes_of(rows: Rows) -> set[str]:
    """The nodes or links that rows of a verdict are about."""
    return {row["node"] for row in rows}


def told(rows: Rows) -> str:
    """Rows of a verdict in full, for whoever reads why a test failed."""
    return "\n".join(f"{row['node']}: expected {row['expected']}; observed {row['observed']}" for row in rows)


def assert_told(rows: Rows, subject: str, expected: str, observed: str) -> None:
    """One of the failures names the subject, what was expected and what was seen instead."""
    seen = [(row["expected"], row["observed"]) for row in rows if row["node"] == subject]
    assert any(subject in e and expected in e and observed in o for e, o in seen), told(rows)
