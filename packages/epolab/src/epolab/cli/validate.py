"""`epolab validate`: everything that is wrong with topology files, all of it at once."""

from __future__ import annotations

import argparse
from pathlib import Path

from epolab.cli.output import Output
from epolab.errors import UserInputError
from epolab.model.problem import Problem
from epolab.topology import problems_of

SUMMARY = "show everything that is wrong with topology files"
EXAMPLES = "  epolab validate topologies/quickstart.yaml\n  epolab --json validate topologies/minimal.yaml my-lab.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The files."""
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="a topology file")


def run(args: argparse.Namespace, out: Output) -> int:
    """Gather the problems of all files; errors make the exit code 2, warnings do not."""
    problems = [problem for file in args.files for problem in problems_of(file)]
    errors = [problem for problem in problems if problem.severity == "error"]
    out.document({"valid": not errors, "problems": [problem.to_document() for problem in problems]})
    for problem in problems:
        out.show(problem.render())
    for file in args.files:
        out.show(verdict(file, problems))
    return UserInputError.exit_code if errors else 0


def verdict(file: Path, problems: list[Problem]) -> str:
    """One line on one file."""
    severities = [problem.severity for problem in problems if problem.file == str(file)]
    errors, warnings = severities.count("error"), severities.count("warning")
    counted = ", ".join(_count(n, noun) for n, noun in ((errors, "error"), (warnings, "warning")) if n)
    word = "not valid" if errors else "valid"
    return f"{file}: {word}{f' ({counted})' if counted else ''}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"
