"""SiteMgr.xml names what a server would need to have again."""

from __future__ import annotations

from miniepo.config import SourceSite
from miniepo.protocol import sitelist
from miniepo.server.site_manager import site_manager_file
from miniepo.store.repositories import Repository

VENDOR = SourceSite(name="McAfeeHttp", url="http://update.nai.com/Products/CommonUpdater/")
MIRROR = SourceSite(name="Mirror", url="http://mirror.test:8080/all", enabled=False)


def repository(id: int, enabled: bool) -> Repository:
    name = f"sa-{id}"
    return Repository(id, f"ePOSA_SA-{id}", "SuperAgent", 3, 8081, enabled, 0, None, "", f"{name}.test",
                      f"10.1.0.{id}", "", name)  # fmt: skip


def test_sources_and_repositories_are_in_it_also_those_that_are_off() -> None:
    text = site_manager_file("EPO", [VENDOR, MIRROR], [repository(7, True), repository(8, False)])
    parsed = sitelist.parse(text)
    assert (parsed.name, parsed.type) == ("EPO", "Server")
    assert [(site.order, site.kind, site.type, site.name, site.host, site.port) for site in parsed.sites] == [
        (1, "HttpSite", "source", "McAfeeHttp", "update.nai.com", 80),
        (2, "HttpSite", "source", "Mirror", "mirror.test", 8080),
        (3, "SuperAgentSite", "repository", "ePOSA_SA-7", "sa-7.test", 8081),
        (4, "SuperAgentSite", "repository", "ePOSA_SA-8", "sa-8.test", 8081),
    ]
    assert [site.enabled for site in parsed.sites] == [True, False, True, False]
    assert [site.relative_path for site in parsed.sites[:2]] == ["Products/CommonUpdater", "all"]


def test_no_handler_is_in_it() -> None:
    assert sitelist.parse(site_manager_file("EPO", [], [])).sites == ()
