"""What of a lab is rolled out: the nodes that are due, and none of a lab that is not there."""

from pathlib import Path

import pytest

from epolab.deploy.rollout import deploy, only
from epolab.errors import DeployError
from epolab.hands.files import LabFolder
from epolab.topology import load_topology

TOPOLOGY = Path(__file__).parents[4] / "topologies" / "minimal.yaml"


def test_the_inventory_of_some_nodes_keeps_the_groups() -> None:
    inventory = {
        "all": {
            "hosts": {"hq.epo": {"a": 1}, "hq.sql": {"b": 2}},
            "children": {"nodes_server": {"hosts": {"hq.epo": None}}, "nodes_sql": {"hosts": {"hq.sql": None}}},
        }
    }
    assert only(inventory, {"hq.sql"}) == {
        "all": {
            "hosts": {"hq.sql": {"b": 2}},
            "children": {"nodes_server": {"hosts": {}}, "nodes_sql": {"hosts": {"hq.sql": None}}},
        }
    }


def test_a_lab_without_containers_is_not_deployed(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="nodes without a container: hq/router, hq/epo, hq/sql, hq/pc-1"):
        deploy(load_topology(TOPOLOGY), LabFolder(tmp_path))
