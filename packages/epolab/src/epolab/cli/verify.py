"""`epolab verify`: the verdict on a lab that is up."""

from __future__ import annotations

import argparse
from pathlib import Path

from epolab.cli.output import Output
from epolab.cli.progress import PeopleProgress
from epolab.verify.promises import NAMES

SUMMARY = "examine a lab that is up: one line per promise, and a verdict"
EXAMPLES = (
    "  epolab verify\n  epolab verify quickstart -k relay\n"
    "  epolab verify quickstart --junit verdict.xml --html verdict.html\n\n"
    f"promises: {', '.join(NAMES)}"
)
INTERRUPTED = "there is no verdict; what was disturbed is put back, at the latest by the same command"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of this verb."""
    parser.add_argument("lab", nargs="?", metavar="LAB", help="the lab (may be left out when there is one)")
    help_text = "only these promises (a or b; may be given again for more), or a pytest expression"
    parser.add_argument("-k", dest="expressions", action="append", default=[], metavar="EXPR", help=help_text)
    parser.add_argument("--junit", type=Path, metavar="F", help="write the verdict as JUnit XML")
    parser.add_argument("--html", type=Path, metavar="F", help="write the verdict as an HTML page")


def run(args: argparse.Namespace, out: Output) -> int:
    """Do it; exit code 1 when the verdict is negative."""
    from epolab.steps.verify import verify
    from epolab.verify.report import failure_lines, promise_lines

    with PeopleProgress(out) as progress:
        progress.begin("verify")
        report = verify(
            args.lab,
            " or ".join(args.expressions) or None,
            args.junit,
            args.html,
            lambda result: progress.note(f"{result.promise} {result.node or ''} {result.reason}: {result.outcome}"),
            progress.warn,
        )
    out.document(report.to_document())
    for line in (*promise_lines(report), *failure_lines(report.results)):
        out.show(line)
    counts = f"{report.count('passed')} passed, {report.count('failed')} failed, {report.count('skipped')} skipped"
    out.show(f"verdict on {report.lab}: {'positive' if report.positive else 'NEGATIVE'} ({counts})")
    return 0 if report.positive else 1
