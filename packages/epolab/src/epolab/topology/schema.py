"""The JSON Schema of topology files, made from the records that read them; kept as `topologies/schema.json`."""

from __future__ import annotations

import json

from epolab.topology.specs import Schema
from epolab.topology.v1 import LAB


def topology_schema() -> Schema:
    """The schema as a value."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "epolab topology, version 1",
        "description": "Structure only; `epolab validate` says what else must hold.",
        **LAB.schema(),
    }


def schema_text() -> str:
    """The schema as it is kept in the file."""
    return json.dumps(topology_schema(), indent=2, ensure_ascii=False) + "\n"
