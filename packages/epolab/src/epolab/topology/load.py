"""From a path to a topology, or to everything that is wrong with the file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from epolab.errors import TopologyInvalidError
from epolab.model.problem import Problem
from epolab.model.topology import Topology
from epolab.topology.draft import draft
from epolab.topology.report import Report
from epolab.topology.resolve import resolve
from epolab.topology.v1 import LAB
from epolab.topology.validate import check_draft, check_topology, resolvable
from epolab.yaml_file import YamlFile, parse_bytes, read_yaml


@dataclass(frozen=True)
class Loaded:
    """What a file came to: a topology if it could be resolved, and all problems, warnings among them."""

    topology: Topology | None
    problems: tuple[Problem, ...]

    @property
    def valid(self) -> bool:
        """Whether a lab can be built: no error, warnings or not."""
        return self.topology is not None and not any(p.severity == "error" for p in self.problems)


def load_topology(path: Path) -> Topology:
    """The topology of a file; TopologyInvalidError carries all its problems."""
    loaded = load(path)
    if loaded.topology is None or not loaded.valid:
        errors = [problem for problem in loaded.problems if problem.severity == "error"]
        count = f"{len(errors)} problem{'s' if len(errors) != 1 else ''}"
        raise TopologyInvalidError(loaded.problems, f"{path}: {count}", hint=f"epolab validate {path}")
    return loaded.topology


def problems_of(path: Path) -> list[Problem]:
    """All problems of a file, errors and warnings, in the order of the file."""
    return list(load(path).problems)


def load(path: Path) -> Loaded:
    """Read, resolve and check one file."""
    return judge(read_yaml(path), str(path))


def load_text(data: bytes, name: str) -> Loaded:
    """The same for bytes that are not in a file; `name` is what problems show."""
    return judge(parse_bytes(data, name), name)


def judge(yaml: YamlFile, name: str) -> Loaded:
    """Everything after the parser: structure first, then meaning as far as it is defined."""
    report = Report(name, yaml.problems)
    if yaml.root is None:
        return Loaded(None, tuple(report.problems))
    lab = LAB.decode(yaml.root, ("topology",), report)
    if lab is None:
        return Loaded(None, tuple(report.problems))
    sketch = draft(lab.value)
    check_draft(sketch, report, stem(name))
    if not resolvable(report):
        return Loaded(None, tuple(report.problems))
    topology = resolve(sketch, name, stem(name))
    check_topology(sketch, topology, report)
    return Loaded(topology, tuple(report.problems))


def stem(name: str) -> str:
    """The lab name a file gives when it says none: its stem, in the letters that a lab name may have."""
    word = re.sub(r"[^a-z0-9-]+", "-", Path(name).stem.lower()).strip("-")[:31]
    return word if word[:1].isalpha() else f"lab-{word}"[:31].rstrip("-")
