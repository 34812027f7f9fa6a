import json
from pathlib import Path

import jsonschema
import pytest

from epolab.topology.schema import schema_text, topology_schema
from epolab.yaml_file import parse_bytes, plain

ROOT = Path(__file__).parents[4]
CHECKER = jsonschema.Draft202012Validator(topology_schema())
# what the schema cannot know: the broken files whose structure is sound are judged by meaning alone
STRUCTURAL = (
    "bad-lab-name",
    "bad-name",
    "bad-network",
    "bad-port",
    "count-out-of-bounds",
    "duration",
    "missing-key",
    "rate-delay-loss",
    "unknown-component",
    "unknown-key",
    "unknown-setting",
    "unsupported-version",
    "wrong-length",
    "wrong-type",
)


def accepts(path: Path) -> bool:
    root = parse_bytes(path.read_bytes(), path.name).root
    assert root is not None
    return CHECKER.is_valid(plain(root))


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text()))


@pytest.mark.parametrize("file", sorted((ROOT / "topologies").glob("*.yaml")), ids=lambda file: file.stem)
def test_it_accepts_the_topologies_of_the_repository(file: Path) -> None:
    assert accepts(file)


@pytest.mark.parametrize("name", STRUCTURAL)
def test_it_refuses_what_has_a_broken_structure(name: str) -> None:
    assert not accepts(ROOT / f"tests/cases/topology/{name}.yaml")


def test_equivalent_forms_are_accepted() -> None:
    text = b"""
epolab: 1
sites:
  hq: {nodes: {epo: {components: server}}, networks: {lan: }, firewall: {rules: [{allow: {from: hq, ports: 443}}]}}
  b:
wan: [{between: [hq, b], rate: 10 Mbit/s, delay: 0, accept: delay}]
"""
    root = parse_bytes(text, "f").root
    assert root is not None
    assert [error.message for error in CHECKER.iter_errors(plain(root))] == []
