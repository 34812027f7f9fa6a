"""SiteMgr.xml: the source sites and distributed repositories of a server, for a backup (domain §2): pure.

It has the structure of SiteList.xml. That its root says `Type="Server"`, and that source sites have the type `source`,
is [uncertain]: no published sample shows it. Handlers are not in it, and credentials never are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from miniepo.config import SourceSite
from miniepo.protocol.sitelist import Site, SiteList, write
from miniepo.server.assignment import superagent_site
from miniepo.store.repositories import Repository

ROOT_TYPE = "Server"
SOURCE_TYPE = "source"


def site_manager_file(server_name: str, sources: Iterable[SourceSite], repositories: Iterable[Repository]) -> str:
    """The file's text: source sites first, then every distributed repository, also those that are switched off."""
    sites = [_source_site(source) for source in sources]
    sites += [replace(superagent_site(each), enabled=each.enabled) for each in repositories]
    numbered = tuple(replace(site, order=order) for order, site in enumerate(sites, start=1))
    return write(SiteList(server_name, "", numbered, ROOT_TYPE))


def _source_site(source: SourceSite) -> Site:
    url = urlsplit(source.url)
    return Site(
        kind="HttpSite",
        name=source.name,
        type=SOURCE_TYPE,
        order=0,
        host=url.hostname or "",
        port=url.port or 80,
        relative_path=url.path.strip("/"),
        enabled=source.enabled,
    )
