"""What the roles say about themselves: every variable has a default and a specification, and the required ones come."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from epolab.deploy.inventory import Lab, plan_inventory
from epolab.deploy.secrets import ensure_secrets
from epolab.deploy.wheel import Release
from epolab.topology import load_topology

REPOSITORY = Path(__file__).parents[2]
ROLES = sorted(path for path in (REPOSITORY / "roles").iterdir() if path.is_dir())


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text())


def options_of(role: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    return found


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_and_specifications_name_the_same_variables(role: Path) -> None:
    assert set(read(role / "defaults/main.yml")) == set(options_of(role))
    assert all(name.startswith(f"{role.name}_") for name in options_of(role))
    assert all(option["description"] for option in options_of(role).values())


def test_every_required_variable_comes_from_the_inventory(tmp_path: Path) -> None:
    topology = load_topology(REPOSITORY / "topologies/quickstart.yaml")
    containers = {node.path: node.name for node in topology.nodes}
    lab = Lab(containers, tmp_path, ensure_secrets(topology, tmp_path), Release("d", tmp_path, tmp_path))
    given = plan_inventory(topology, lab)["all"]
    late = {"server": "management", "agent": "agent", "swarm": "swarm"}
    missing = [
        (host, name)
        for host, variables in given["hosts"].items()
        for role in [
            *variables["node_roles"],
            *(late[c] for c in late if host in given["children"][f"nodes_{c}"]["hosts"]),
        ]
        for name, option in options_of(REPOSITORY / "roles" / role).items()
        if option.get("required") and not variables.get(name)
    ]
    assert missing == []
