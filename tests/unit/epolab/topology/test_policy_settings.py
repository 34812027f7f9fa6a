import json
from typing import Any

import pytest

from epolab.topology.policy_settings import CATEGORIES, PolicySpec, defaults
from epolab.topology.report import Report
from epolab.yaml_file import parse_text


def decode(text: str) -> tuple[Any, list[str]]:
    root = parse_text(text, "f").root
    assert root is not None
    report = Report("f")
    return PolicySpec().decode(root, ("policies",), report), [problem.code for problem in report.problems]


def test_settings_are_read_by_the_category() -> None:
    found, problems = decode(
        "{name: R, category: relay, settings: {enabled: true, discoveryPorts: [8083, 8082, 8083]}}"
    )
    assert problems == []
    assert found.value.settings == {"enabled": True, "discoveryPorts": [8083, 8082]}


def test_a_policy_knows_where_its_settings_stand() -> None:
    found, _ = decode("{name: R, category: relay,\n settings: {port: 9000}}")
    assert (found.value.places["port"].line, found.value.places["port"].column) == (2, 19)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("{name: R, category: relay, settings: {asciSeconds: 5}}", ["unknown-setting"]),
        ("{name: R, category: relay, settings: {port: 0, enabled: on}}", ["bad-port", "wrong-type"]),
        ("{name: R, category: rely, settings: {port: 0}}", ["unknown-word"]),
        ("{name: R, category: relay, settings: [port]}", ["wrong-type"]),
        ("{settings: {}}", ["missing-key", "missing-key"]),
        (
            "{name: U, category: update, settings: {branch: Evaluation, repositoryMode: ping}}",
            ["setting-not-supported"] * 2,
        ),
        ("{name: S, category: superagent, settings: {folder: /srv}}", ["setting-not-supported"]),
        ("{name: R, category: relay, settings: {discoveryPorts: [8083, 9000]}}", ["setting-not-supported"]),
        ("{name: R, category: relay, settings: {discoveryPorts: []}}", ["wrong-length"]),
        ("{name: A, category: agent, settings: {wakeupPort: 443}}", ["bad-port"]),
        (
            "{name: S, category: superagent, settings: {folder: /var/lib/miniepo/repository/..}}",
            ["setting-not-supported"],
        ),
        ("{name: S, category: superagent, settings: {folder: /var/lib/miniepo/repository/a/.b}}", []),
    ],
)
def test_what_is_wrong_with_a_policy(text: str, codes: list[str]) -> None:
    assert decode(text)[1] == codes


@pytest.mark.parametrize("category", list(CATEGORIES))
def test_defaults_are_what_the_specs_allow(category: Any) -> None:
    text = f"{{name: D, category: {category}, settings: {json.dumps(defaults(category))}}}"
    found, problems = decode(text)
    assert problems == []
    assert found.value.settings == defaults(category)
