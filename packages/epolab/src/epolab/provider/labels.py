"""The labels and names that find every object of a lab without any state file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

LAB = "epolab.lab"
OWNER = "epolab.owner"
EXPIRES = "epolab.expires"
CREATED = "epolab.created"
NODE = "epolab.node"
DIGEST = "epolab.digest"
TOPOLOGY = "epolab.topology"
COMPONENTS = "epolab.components"
KIND = "epolab.kind"
NEVER = "never"


def fabric_container(lab: str) -> str:
    """The name of the container that holds a lab's data plane."""
    return f"{lab}.fabric"


def node_container(lab: str, path: str) -> str:
    """The name of a node's container; `path` is `site/node`."""
    return f"{lab}.{path.replace('/', '.')}"


def lab_labels(props: Mapping[str, Any]) -> dict[str, str]:
    """What everything of a lab carries."""
    return {LAB: props["lab"], OWNER: props["owner"], EXPIRES: props["expires"] or NEVER}


def digest_of(value: Any) -> str:
    """A short name for a JSON value, the same for the same value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
