"""What a verdict is: one result per check, its document, its JUnit and HTML forms, and its lines for people."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal
from xml.etree import ElementTree

from epolab.verify.promises import NAMES

Outcome = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Result:
    """One check of one promise on one node or link (None: on the lab); `seconds` is how long it took."""

    promise: str
    node: str | None
    outcome: Outcome
    expected: str
    observed: str
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """All results of one `verify`."""

    lab: str
    results: tuple[Result, ...]

    def count(self, outcome: Outcome) -> int:
        """How many results ended so."""
        return sum(result.outcome == outcome for result in self.results)

    @property
    def positive(self) -> bool:
        """Whether the verdict is positive: something was checked, and nothing failed."""
        return self.count("failed") == 0 and self.count("passed") > 0

    def to_document(self) -> dict[str, object]:
        """The document of `verify --json`."""
        return {
            "lab": self.lab,
            "passed": self.count("passed"),
            "failed": self.count("failed"),
            "skipped": self.count("skipped"),
            "results": [asdict(result) for result in self.results],
        }


def of_promise(results: Iterable[Result], promise: str) -> tuple[Result, ...]:
    """The results of one promise."""
    return tuple(result for result in results if result.promise == promise)


def promise_line(promise: str, results: Sequence[Result]) -> str:
    """One line for people: the promise, its outcome, how many checks and seconds."""
    failed = sum(result.outcome == "failed" for result in results)
    passed = sum(result.outcome == "passed" for result in results)
    seconds = sum(result.seconds for result in results)
    if failed:
        return f"FAILED   {promise:12} {failed} of {failed + passed} checks failed, {seconds:.1f} s"
    if passed:
        return f"passed   {promise:12} {passed} checks, {seconds:.1f} s"
    reason = results[0].reason if results else "nothing was evaluated"
    return f"skipped  {promise:12} {reason}"


def failure_lines(results: Iterable[Result]) -> list[str]:
    """What failed: node, check, expectation and observation."""
    lines = []
    for result in results:
        if result.outcome == "failed":
            lines.append(f"{result.promise} on {result.node or 'the lab'}: {result.reason}")
            lines.append(f"    expected: {result.expected}")
            lines.append(f"    observed: {result.observed}")
    return lines


def promise_lines(report: Report) -> list[str]:
    """The verdict for people: one line per promise that has results."""
    grouped = [(name, of_promise(report.results, name)) for name in NAMES]
    return [promise_line(name, results) for name, results in grouped if results]


def junit(report: Report) -> str:
    """The verdict as JUnit XML: a suite per promise."""
    root = ElementTree.Element("testsuites", name=f"epolab verify {report.lab}")
    for name in NAMES:
        results = of_promise(report.results, name)
        if results:
            _suite(root, name, results)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: ElementTree.Element, name: str, results: Sequence[Result]) -> None:
    counts: dict[str, str] = {
        "tests": str(len(results)),
        "failures": str(sum(result.outcome == "failed" for result in results)),
        "skipped": str(sum(result.outcome == "skipped" for result in results)),
        "time": f"{sum(result.seconds for result in results):.3f}",
    }
    suite = ElementTree.SubElement(root, "testsuite", {"name": name, **counts})
    for result in results:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=f"{name}.{result.node or 'lab'}",
            name=result.reason,
            time=f"{result.seconds:.3f}",
        )
        if result.outcome == "failed":
            failure = ElementTree.SubElement(case, "failure", message=result.observed)
            failure.text = f"expected: {result.expected}\nobserved: {result.observed}"
        elif result.outcome == "skipped":
            ElementTree.SubElement(case, "skipped", message=result.reason)


_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1f24}
table{border-collapse:collapse;width:100%;margin:1rem 0}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d8dee4;vertical-align:top}
.passed{color:#1a7f37}.failed{color:#cf222e;font-weight:600}.skipped{color:#6e7781}
"""


def html_page(report: Report) -> str:
    """The verdict as one HTML page without scripts or outside resources."""
    rows = "\n".join(_row(result) for name in NAMES for result in of_promise(report.results, name))
    verdict = "positive" if report.positive else "negative"
    counts = f"{report.count('passed')} passed, {report.count('failed')} failed, {report.count('skipped')} skipped"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Verdict on {html.escape(report.lab)}</title>'
        f"<style>{_STYLE}</style><h1>Verdict on {html.escape(report.lab)}: {verdict}</h1><p>{counts}</p>"
        "<table><tr><th>promise</th><th>node</th><th>outcome</th><th>check</th><th>expected</th><th>observed</th><th>s</th></tr>"
        f"\n{rows}\n</table></html>\n"
    )


def _row(result: Result) -> str:
    cells = (result.promise, result.node or "the lab", result.outcome, result.reason, result.expected, result.observed)
    tagged = (f'<td class="{result.outcome}">{html.escape(cell)}</td>' for cell in cells)
    return f"<tr>{''.join(tagged)}<td>{result.seconds:.1f}</td></tr>"
