"""Which promises an expression names, and which ones a topology is asked for."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from epolab.model.topology import Topology
from epolab.topology import load_topology
from epolab.verify.plugin import subjects
from epolab.verify.promises import NAMES, PROMISES, applies, choose
from epolab.verify.run import ACCEPTANCE

TOPOLOGIES = {path.stem: load_topology(path) for path in (Path(__file__).parents[4] / "topologies").glob("*.yaml")}


@pytest.mark.parametrize(
    ("expression", "names", "rest"),
    [
        (None, NAMES, None),
        ("relay", ("relay",), None),
        ("wan or relay", ("relay", "wan"), None),
        ("wan, port-8081", ("port-8081", "wan"), None),
        ("tokyo", NAMES, "tokyo"),
        ("relay and india", NAMES, "relay and india"),
    ],
)
def test_promises_are_chosen_by_name_and_anything_else_is_left_to_pytest(
    expression: str | None, names: tuple[str, ...], rest: str | None
) -> None:
    assert choose(expression) == (names, rest)


def test_each_promise_has_its_acceptance_file() -> None:
    assert [p.module for p in PROMISES if not (ACCEPTANCE / p.module).exists()] == []


def without_repositories(topology: Topology) -> Topology:
    return replace(topology, management=replace(topology.management, repositories=()))


def without_agents(topology: Topology) -> Topology:
    def strip(components: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(each for each in components if each not in ("agent", "relay", "superagent"))

    sites = tuple(
        replace(site, nodes=tuple(replace(node, components=strip(node.components)) for node in site.nodes))
        for site in topology.sites
    )
    return without_repositories(replace(topology, sites=sites))


CASES = {
    **TOPOLOGIES,
    "no repository": without_repositories(TOPOLOGIES["quickstart"]),
    "no agent": without_agents(TOPOLOGIES["quickstart"]),
}


def has_checks(module: str, topology: Topology) -> bool:
    """Whether a check of an acceptance file has something to be about, by what its functions ask for."""
    found = subjects(topology)
    checks = [
        {argument.arg for argument in each.args.args} & found.keys()
        for each in ast.parse((ACCEPTANCE / module).read_text()).body
        if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")
    ]
    assert checks
    return any(all(found[name] for name in asked) for asked in checks)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name)
def test_a_promise_applies_exactly_where_its_checks_have_a_subject(promise, case) -> None:  # type: ignore[no-untyped-def]
    assert applies(promise.name, CASES[case]) == has_checks(promise.module, CASES[case])


def test_a_superagent_without_a_repository_is_not_asked_for_replication() -> None:
    assert not applies("replication", CASES["no repository"])
    assert applies("replication", TOPOLOGIES["quickstart"])
