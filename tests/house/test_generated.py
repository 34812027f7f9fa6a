"""What is made from the topology records is kept as they make it now."""

from pathlib import Path

from epolab.topology.reference import reference
from epolab.topology.schema import schema_text

ROOT = Path(__file__).parents[2]


def test_the_schema_beside_the_topologies_is_that_of_the_model() -> None:
    kept = (ROOT / "topologies/schema.json").read_text(encoding="utf-8")
    assert kept == schema_text(), "python -m epolab.topology schema > topologies/schema.json"


def test_the_topology_reference_is_that_of_the_model() -> None:
    kept = (ROOT / "docs/topology.md").read_text(encoding="utf-8")
    assert kept == reference(), "python -m epolab.topology reference > docs/topology.md"
