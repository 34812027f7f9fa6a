"""The entry point: it finds the verb, shows the one error a command may end with, and picks the exit code.

A verb is a module `epolab.cli.<verb>` with `SUMMARY: str`, `EXAMPLES: str`,
`add_arguments(parser: argparse.ArgumentParser) -> None` and `run(args: argparse.Namespace, out: Output) -> int`.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn, Protocol

from epolab.cli.output import Output
from epolab.errors import ArgumentError, EpolabError, InterruptedByUserError

VERBS = (
    "doctor",
    "validate",
    "up",
    "deploy",
    "verify",
    "ls",
    "status",
    "inspect",
    "ssh",
    "cp",
    "logs",
    "wan",
    "down",
    "sweep",
)


class Verb(Protocol):
    """What `main` needs of a verb's module."""

    SUMMARY: str
    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, args: argparse.Namespace, out: Output) -> int: ...


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are errors of ours."""

    def error(self, message: str) -> NoReturn:
        raise ArgumentError(message, hint=f"{self.prog} --help")


def load_verb(name: str) -> Verb:
    """Import a verb's module."""
    module: Verb = importlib.import_module(f"epolab.cli.{name}")
    return module


def listed_verbs() -> tuple[str, ...]:
    """The verbs that exist in this version."""
    return tuple(name for name in VERBS if importlib.util.find_spec(f"epolab.cli.{name}") is not None)


def add_global_options(parser: argparse.ArgumentParser, *, default: object) -> None:
    """The options that are accepted before and after the verb."""
    parser.add_argument("--json", action="store_true", default=default, help="one JSON document on standard output")
    parser.add_argument("-v", "--verbose", action="store_true", default=default, help="say more on standard error")


def build_parser(argv: Sequence[str]) -> Parser:
    """The parser with all verbs; only the verb that is named has its module imported, all for `--help`."""
    parser = Parser(prog="epolab", description="Labs of an ePO-style estate, as code.")
    add_global_options(parser, default=False)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)
    named = next((word for word in argv if not word.startswith("-")), None)
    for name in listed_verbs():
        if named in (None, name) or named not in VERBS:
            _add_verb(verbs, name)
    return parser


def _add_verb(verbs: argparse._SubParsersAction[Parser], name: str) -> None:
    verb = load_verb(name)
    parser = verbs.add_parser(
        name,
        help=verb.SUMMARY,
        description=verb.SUMMARY,
        epilog="examples:\n" + verb.EXAMPLES if verb.EXAMPLES else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_global_options(parser, default=argparse.SUPPRESS)
    verb.add_arguments(parser)


def show_error(out: Output, error: EpolabError) -> None:
    """One error for a person: what failed, what was seen, what to type next."""
    where = f" (step: {error.step})" if error.step else ""
    out.say(f"error{where}: {error.message}")
    for line in error.evidence:
        out.say(f"  {line}")
    if error.hint:
        out.say(f"try: {error.hint}")


def run_verb(verb: Verb, args: argparse.Namespace, out: Output) -> int:
    """Run the verb; an expected failure becomes text, a document and an exit code."""
    try:
        code = verb.run(args, out)
    except KeyboardInterrupt:
        return fail(out, InterruptedByUserError("interrupted"))
    except EpolabError as error:
        return fail(out, error)
    out.finish()
    return code


def fail(out: Output, error: EpolabError) -> int:
    """End a command with an error."""
    show_error(out, error)
    out.finish(error.document())
    return error.exit_code


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def run(argv: Sequence[str]) -> int:
    """One command, from its words to its exit code."""
    try:
        args = build_parser(argv).parse_args(argv)
    except EpolabError as error:
        return fail(Output(json_wanted="--json" in argv, verbose=False), error)
    return run_verb(load_verb(args.verb), args, Output(json_wanted=args.json, verbose=args.verbose))


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(run(sys.argv[1:]))
