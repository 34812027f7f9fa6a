"""What miniepo writes is read by the ways of two published tools, which the other product follows (domain §2.2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epolab.verify.site_list_reading import (
    ListedSite,
    NotPublishedStructureError,
    read_by_names,
    read_by_nodes,
)
from miniepo.protocol.sitelist import Dialect, Site, SiteList, parse, write

SERVER = Site("SpipeSite", "ePO_EPO", "master", 1, "epo.hq.test", 80, "10.1.0.10", "fd00:1::10", "epo", 443, "5.9.1")
MIRROR = Site("SuperAgentSite", "ePOSA_SA", "repository", 2, "sa.tokyo.test", 8081, "10.2.0.10")
VENDOR = Site("HttpSite", "McAfeeHttp", "fallback", 3, "update.nai.com", 80, relative_path="Products/CommonUpdater")
SHARE = Site("UNCSite", "Files", "repository", 4, "files.hq.test", 445, relative_path="mirror", share_name="repo$",
             enabled=False)  # fmt: skip
FTP = Site("FTPSite", "Old", "repository", 5, "ftp.hq.test", 21)
SITES = (SERVER, MIRROR, VENDOR, SHARE, FTP)
PLAIN = Dialect(version=None, server_name=None, secure_port=None, server_ipv6=None, global_version=None)


@pytest.mark.parametrize("dialect", [Dialect(), PLAIN])
def test_both_ways_see_every_site_as_it_is(dialect: Dialect) -> None:
    text = write(SiteList("EPO", "v1", SITES), dialect)
    secure = "443" if dialect.secure_port else ""
    expected = (
        ListedSite("SpipeSite", "epo.hq.test:80", "Software", "master", "ePO_EPO", "10.1.0.10:80", secure),
        ListedSite("SuperAgentSite", "sa.tokyo.test:8081", "Software", "repository", "ePOSA_SA", "10.2.0.10:8081"),
        ListedSite("HttpSite", "update.nai.com:80", "Products/CommonUpdater", "fallback", "McAfeeHttp"),
        ListedSite("UNCSite", "files.hq.test:445", "mirror", "repository", "Files", enabled="0"),
        ListedSite("FTPSite", "ftp.hq.test:21", "Software", "repository", "Old"),
    )
    assert read_by_nodes(text) == read_by_names(text) == expected


def test_a_list_that_somebody_made_readable_for_people_is_read_here_but_not_by_every_tool() -> None:
    text = write(SiteList("EPO", "v1", SITES)).replace("><", ">\n<")
    assert parse(text).sites == SITES
    with pytest.raises(NotPublishedStructureError):
        read_by_nodes(text)


def test_no_password_is_ever_written() -> None:
    text = write(SiteList("EPO", "v1", SITES))
    assert text.count("<Password") == 3
    assert text.count('<Password Encrypted="1"></Password>') == 2
    assert text.count('<Password Encrypted="0"></Password>') == 1


def test_a_share_keeps_its_name() -> None:
    (again,) = parse(write(SiteList("EPO", "v1", (SHARE,)))).sites
    assert again == SHARE


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@given(NAMES, NAMES)
def test_whatever_stands_in_a_list_both_ways_see_the_same(name: str, path: str) -> None:
    site = Site("HttpSite", name, "repository", 1, "h", 80, relative_path=path)
    text = write(SiteList(name, "", (site,)))
    assert read_by_nodes(text) == read_by_names(text)
    assert read_by_names(text)[0].path == path
