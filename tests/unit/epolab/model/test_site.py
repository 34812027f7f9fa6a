from epolab.model.firewall import SiteFirewall
from epolab.model.site import Site


def test_sites_are_values() -> None:
    assert Site("hq", (), (), SiteFirewall(), nat=False) == Site("hq", (), (), SiteFirewall(), nat=False)
