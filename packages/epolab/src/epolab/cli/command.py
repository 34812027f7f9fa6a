"""One command: it finds the verb, shows the one error a command may end with, and picks the exit code.

A verb is a module `epolab.cli.<verb>` with `SUMMARY: str`, `EXAMPLES: str`,
`add_arguments(parser: argparse.ArgumentParser) -> None` and `run(args: argparse.Namespace, out: Output) -> int`.
A verb that changes something also has `INTERRUPTED: str`: what Ctrl-C leaves, and what the same command does next.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import importlib.util
import shlex
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from epolab.cli.interrupts import Interrupts, is_json_wanted
from epolab.cli.output import Output, delivered
from epolab.errors import (
    ArgumentError,
    EpolabError,
    FileRefusedError,
    InternalError,
    InterruptedByUserError,
    OutputLostError,
)

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

FULL = (errno.ENOSPC, errno.EDQUOT)
# what a host may refuse at any moment, and no mistake of ours
REFUSALS = (*FULL, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE, errno.ENFILE)
NOTHING_CHANGED = "nothing was changed"

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
    """An argument parser whose complaints are errors of ours, and which knows an option by its whole name alone."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "allow_abbrev": False})

    def error(self, message: str) -> NoReturn:
        raise ArgumentError(message, hint=f"{self.prog} --help")

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        """As its base, which would be silent about what cannot be written."""
        with delivered():
            (file or sys.stdout).write(self.format_help())


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


def attempt(argv: Sequence[str], out: Output, interrupts: Interrupts) -> int:
    """Understand the words and do the work; whatever goes wrong is raised as an error of ours."""
    left = "nothing was begun"
    try:
        args = build_parser(argv).parse_args(argv)
        out.json_wanted, out.verbose = args.json, args.verbose
        verb = load_verb(args.verb)
        left = getattr(verb, "INTERRUPTED", NOTHING_CHANGED)
        interrupts.work_begins()
        code = verb.run(args, out)
        interrupts.work_is_over()
    except KeyboardInterrupt as error:
        raise InterruptedByUserError(f"interrupted: {left}", hint=shlex.join(["epolab", *argv])) from error
    except EpolabError:
        raise
    except OSError as error:
        if error.errno not in REFUSALS:
            raise _mistake(out, error) from error
        raise _refusal(out, error) from error
    except Exception as error:
        raise _mistake(out, error) from error
    return code


def _refusal(out: Output, error: OSError) -> FileRefusedError:
    """What the host refused; where we asked for it is for whoever wants to know (`-v`): it may have been wrong to."""
    out.detail("".join(traceback.format_exception(error)).rstrip())
    where = f"{error.filename}: " if error.filename else ""
    hint = "" if error.errno in FULL else "epolab status says how the lab is; with -v the same command says more"
    return FileRefusedError(f"{where}{error.strerror}", hint=hint)


def _mistake(out: Output, error: Exception) -> InternalError:
    out.say("".join(traceback.format_exception(error)).rstrip())
    return InternalError(f"{type(error).__name__}: {error}")


def finish(out: Output, code: int, error: EpolabError | None = None) -> int:
    """The command's last words and its exit code; another one when nobody could take the words."""
    try:
        if error is not None:
            show_error(out, error)
        out.finish(None if error is None else error.document())
    except OutputLostError as lost:
        out.give_up(f"error: {lost.message}")
        return lost.exit_code
    return code


def run(argv: Sequence[str], interrupts: Interrupts | None = None) -> int:
    """One command, from its words to its exit code."""
    interrupts = interrupts or Interrupts()
    out = Output(json_wanted=is_json_wanted(argv), verbose=False)
    try:
        code = attempt(argv, out, interrupts)
    except EpolabError as error:
        interrupts.work_is_over()
        return finish(out, error.exit_code, error)
    except SystemExit as end:  # `--help` has been shown
        out.json_wanted = False
        return finish(out, int(end.code or 0))
    return finish(out, code)
