import pytest

from epolab.model.topology import Topology


def test_nodes_sites_and_links_are_found_by_name(quickstart: Topology) -> None:
    assert quickstart.node("hq/epo").components == ("server",)
    assert quickstart.site("dmz").name == "dmz"
    assert quickstart.link("hq-tokyo").ends == ("hq", "tokyo")


@pytest.mark.parametrize("look", ["node", "site", "link"])
def test_what_is_not_there_is_a_key_error(quickstart: Topology, look: str) -> None:
    with pytest.raises(KeyError, match="nowhere"):
        getattr(quickstart, look)("nowhere")


def test_nodes_and_segments_come_in_the_order_of_the_file(quickstart: Topology) -> None:
    assert [segment.path for segment in quickstart.segments] == [f"{site.name}/lan" for site in quickstart.sites]
    assert len(quickstart.nodes) == sum(len(site.nodes) for site in quickstart.sites)
