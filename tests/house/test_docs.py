"""What the papers tell a reader to type exists: verb, options, nodes, links, files, and the targets of make."""

import argparse
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from epolab.cli.command import VERBS, build_parser, load_verb
from epolab.errors import ArgumentError, EpolabError
from epolab.model.topology import Topology
from epolab.steps.names import pick_node
from epolab.topology import load_topology
from epolab.verify.promises import PROMISES

ROOT = Path(__file__).parents[2]
PAPERS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("benchmarks/*.md"))]
EXAMPLES = tuple(path.stem for path in sorted((ROOT / "topologies").glob("*.yaml")))
# what stands for a reader's own: FILE, LAB, NODE, ...
PLACEHOLDER = re.compile(r"[A-Z][A-Z0-9_]*|my-lab(\.yaml)?")
COMMAND = re.compile(r"(?:\.venv/bin/)?(epolab|make)\s+(\S.*)")


@dataclass(frozen=True)
class Command:
    """Something to type, and where it says so; a mention within a sentence may leave arguments out."""

    where: str
    program: str
    words: tuple[str, ...]
    mention: bool

    def __str__(self) -> str:
        return f"{self.where} {self.program} {' '.join(self.words)}"


def command(where: str, text: str, *, mention: bool) -> Command | None:
    found = COMMAND.fullmatch(text.strip())
    if found is None:
        return None
    words = [word.strip("[]") for word in shlex.split(found[2], comments=True)]
    return Command(where, found[1], tuple(words), mention)


def commands_of(path: Path) -> Iterator[Command]:
    """Indented and fenced lines are to be typed as they are; what stands in backticks is a mention."""
    fenced = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        where = f"{path.relative_to(ROOT)}:{number}"
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            found = [command(where, line, mention=False)]
            yield from (each for each in found if each is not None)
        else:
            spans = [command(where, span, mention=True) for span in re.findall(r"`([^`]+)`", line)]
            yield from (each for each in spans if each is not None)


def examples_of(verb: str) -> Iterator[Command]:
    for line in load_verb(verb).EXAMPLES.splitlines():
        found = command(f"epolab {verb} --help", line, mention=False)
        if found is not None:
            yield found


PAPER_COMMANDS = [each for path in PAPERS for each in commands_of(path)]
ALL = [*PAPER_COMMANDS, *(each for verb in VERBS for each in examples_of(verb))]


@cache
def topology(name: str) -> Topology:
    return load_topology(ROOT / f"topologies/{name}.yaml")


def own_names(where: str) -> set[str]:
    """The lab names that a paper has given itself with --name."""
    paper = where.partition(":")[0]
    named = [c.words[c.words.index("--name") + 1] for c in ALL if c.where.startswith(paper) and "--name" in c.words]
    return set(named)


def topologies_of(lab: str | None) -> list[Topology]:
    return [topology(lab)] if lab in EXAMPLES else [topology(name) for name in EXAMPLES]


def check_lab(lab: str | None, where: str) -> None:
    known = lab is None or lab in EXAMPLES or PLACEHOLDER.fullmatch(lab) or lab in own_names(where)
    assert known, f"no topology is called {lab}"


def check_node(text: str, where: str, lab: str | None = None) -> None:
    named, _, node = text.rpartition(":")
    check_lab(named or lab, where)
    if PLACEHOLDER.fullmatch(node):
        return
    found = [each.name for each in topologies_of(named or lab) if is_node(node, each)]
    assert found, f"no example has the node {text}"


def is_node(text: str, lab: Topology) -> bool:
    try:
        pick_node(text, [node.path for node in lab.nodes], lab.name)
    except EpolabError:
        return False
    return True


def check_file(path: Path | None) -> None:
    assert path is None or PLACEHOLDER.fullmatch(str(path)) or (ROOT / path).is_file(), f"there is no {path}"


def check_link(text: str | None, lab: str | None) -> None:
    links = {link.name for each in topologies_of(lab) for link in each.links}
    assert text is None or PLACEHOLDER.fullmatch(text) or text in links, f"no example has the link {text}"


def check_arguments(args: argparse.Namespace, where: str) -> None:
    """Everything that the arguments name is there."""
    lab = getattr(args, "lab", None)
    if args.verb == "inspect" and args.node:
        check_node(args.node, where, lab)
    elif args.verb in ("ssh", "logs"):
        check_node(args.node, where)
    elif args.verb == "cp":
        for side in (args.source, args.destination):
            if ":" in side:
                check_node(side.rpartition(":")[0], where)
    check_lab(lab, where)
    for path in (getattr(args, "file", None), getattr(args, "topology", None), *getattr(args, "files", ())):
        check_file(path)
    check_link(getattr(args, "link", None), lab)
    promise = getattr(args, "expression", None)
    assert promise is None or PLACEHOLDER.fullmatch(promise) or promise in {each.name for each in PROMISES}


@pytest.mark.parametrize("told", [c for c in ALL if c.program == "epolab"], ids=str)
def test_a_command_that_is_told_can_be_typed(told: Command) -> None:
    argv = list(told.words)
    try:
        args = build_parser(argv).parse_args(argv)
    except ArgumentError as error:
        assert told.mention, error.message
        assert "required" in error.message
        assert set(argv) & set(VERBS), error.message
    else:
        check_arguments(args, told.where)


@pytest.mark.parametrize("told", [c for c in ALL if c.program == "make"], ids=str)
def test_a_target_of_make_that_is_told_exists(told: Command) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets, variables = re.findall(r"^([a-z-]+):", makefile, re.M), re.findall(r"^([A-Z]+) \?=", makefile, re.M)
    for word in told.words:
        name, equals, _ = word.partition("=")
        assert name in (variables if equals else targets), f"the Makefile has no {word}"


def test_commands_were_found() -> None:
    assert {"up", "verify", "ssh", "down"} <= {word for each in PAPER_COMMANDS for word in each.words}
    assert {c.program for c in PAPER_COMMANDS} == {"epolab", "make"}


@pytest.mark.parametrize(
    "text", ["epolab ssh tokyo/pc-1", "epolab fly", "epolab up topologies/none.yaml", "epolab ls x"]
)
def test_a_command_that_does_not_work_would_be_found(text: str) -> None:
    told = command("here", text, mention=False)
    assert told is not None
    with pytest.raises(AssertionError):
        test_a_command_that_is_told_can_be_typed(told)


def test_the_picture_of_the_quickstart_names_its_links() -> None:
    """Of each link, in the picture's order: the rate, the round trip and the loss, or that it is at LAN speed."""
    picture = (ROOT / "docs/quickstart.svg").read_text()
    labels = re.findall(r'class="label"[^>]*>([^<]+)<', picture)
    wanted: list[str] = []
    for link in topology("quickstart").links:
        shape = link.a_to_b
        wanted.append(f"{shape.rate_bps / 1e6:g} Mbit/s" if shape.rate_bps else "LAN")
        wanted += [f"{2 * shape.delay_ms:g} ms"] if shape.delay_ms else []
        wanted += [f"{100 * shape.loss_ratio:g} % loss"] if shape.loss_ratio else []
    assert labels == wanted
