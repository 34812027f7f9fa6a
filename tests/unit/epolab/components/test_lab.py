"""The tree of resources that a lab declares."""


def test_one_fabric_every_node_every_link(told, topology):
    assert list(told("Fabric")) == ["fabric"]
    assert set(told("Node")) == {node.path for node in topology.nodes}
    assert set(told("Link")) == {"hq-tokyo"}


def test_nodes_hang_on_the_fabric_and_links_on_their_nodes(told):
    assert {inputs["fabric_id"] for inputs in told("Node").values()} == {"id"}
    link = told("Link")["hq-tokyo"]
    assert (link["a_pid"], link["b_pid"], link["fabric_id"]) == (7, 7, "id")
