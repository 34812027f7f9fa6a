"""Topologies, drafts and problems for the topology room's tests, from a few lines."""

from collections.abc import Callable
from pathlib import Path

import pytest

from epolab.model.topology import Topology
from epolab.topology import load_text, load_topology
from epolab.topology.draft import Draft, draft
from epolab.topology.report import Report
from epolab.topology.v1 import LAB
from epolab.yaml_file import parse_text

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def quickstart() -> Topology:
    return load_topology(ROOT / "topologies/quickstart.yaml")


@pytest.fixture(scope="session")
def topology_of() -> Callable[[str], Topology]:
    def build(text: str) -> Topology:
        loaded = load_text(text.encode(), "lab.yaml")
        assert loaded.topology is not None, [problem.render() for problem in loaded.problems]
        return loaded.topology

    return build


@pytest.fixture(scope="session")
def draft_of() -> Callable[[str], Draft]:
    def build(text: str) -> Draft:
        root = parse_text(text, "lab.yaml").root
        report = Report("lab.yaml")
        lab = LAB.decode(root, ("topology",), report) if root is not None else None
        assert lab is not None and report.problems == [], [problem.render() for problem in report.problems]
        return draft(lab.value)

    return build


@pytest.fixture(scope="session")
def codes_of() -> Callable[[str], list[tuple[int, str]]]:
    """The lines and codes of a text's problems."""

    def build(text: str) -> list[tuple[int, str]]:
        return [(problem.line, problem.code) for problem in load_text(text.encode(), "lab.yaml").problems]

    return build
