"""SiteList.xml as published tools read it, whole and spoilt, and what it should say."""

from pathlib import Path

import pytest

from epolab.topology import load_topology
from epolab.verify.site_list_reading import (
    ListedSite,
    NotPublishedStructureError,
    due_sites,
    read_by_names,
    read_by_nodes,
    troubles,
)

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")
PC = TOPOLOGY.node("tokyo/tokyo-pc-1")
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<ns:SiteLists xmlns:ns="naSiteList" Type="Client">'
SPIPE = (
    '<SpipeSite Type="master" Name="ePO_EPO" Order="1" Enabled="1" Local="0" Server="epo:80" ServerIP="10.1.0.2:80" '
    'SecurePort="443"><RelativePath>Software</RelativePath></SpipeSite>'
)
SHARE = (
    '<UNCSite Type="repository" Name="Share" Order="2" Enabled="0" Local="0" Server="files">'
    "<ShareName>mirror$</ShareName><RelativePath></RelativePath><UserName>reader</UserName>"
    '<Password Encrypted="1">x</Password></UNCSite>'
)


def text(*sites: str, head: str = HEAD) -> str:
    return f'{head}<SiteList Default="1" Name="EPO">{"".join(sites)}</SiteList></ns:SiteLists>\n'


def written(sites: tuple[ListedSite, ...]) -> str:
    """A list with these sites."""
    return text(*(
        f'<{site.kind} Type="{site.type}" Name="{site.name}" Enabled="{site.enabled}" Server="{site.server}" '
        f'ServerIP="{site.server_ip}" SecurePort="{site.secure_port}"><RelativePath>{site.path}</RelativePath>'
        f"</{site.kind}>"
        for site in sites
    ))  # fmt: skip


def test_both_ways_see_the_same_sites() -> None:
    expected = ListedSite("SpipeSite", "epo:80", "Software", "master", "ePO_EPO", "10.1.0.2:80", "443")
    assert read_by_nodes(text(SPIPE)) == read_by_names(text(SPIPE)) == (expected,)


def test_who_goes_by_names_finds_the_path_of_a_share() -> None:
    (share,) = read_by_names(text(SHARE))
    assert (share.kind, share.path, share.enabled) == ("UNCSite", "mirror$", "0")


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        ("", "not XML"),
        ("<SiteLists><SiteList/></SiteLists>", "root is not ns:SiteLists"),
        (text(SPIPE, head=HEAD.replace("naSiteList", "urn:other")), "root is not ns:SiteLists"),
        (text(SPIPE, head=HEAD.replace(' Type="Client"', "")), "root is not ns:SiteLists"),
        (text(SPIPE).replace('Default="1"', 'Default="0"'), 'one child SiteList with Default="1"'),
        (text(SPIPE, "\n", SPIPE), "text stands between its sites"),
    ],
)
def test_who_walks_the_nodes_breaks_on_other_structures(spoilt: str, reason: str) -> None:
    with pytest.raises(NotPublishedStructureError, match=reason):
        read_by_nodes(spoilt)


def test_a_password_says_whether_it_is_encrypted() -> None:
    with pytest.raises(NotPublishedStructureError, match="Password of Share"):
        read_by_names(text(SHARE.replace(' Encrypted="1"', "")))
    with pytest.raises(NotPublishedStructureError, match="not XML"):
        read_by_names("no list")


def test_an_agent_is_given_its_handlers_every_repository_and_the_fallback() -> None:
    due = due_sites(TOPOLOGY, PC)
    assert [(site.kind, site.name, site.server) for site in due] == [
        ("SpipeSite", "ePO_HANDLER", "handler.dmz.test:80"),
        ("SpipeSite", "ePO_EPO", "epo.hq.test:80"),
        ("SuperAgentSite", TOPOLOGY.management.repositories[0].name, "tokyo-sa.tokyo.test:8081"),
        ("HttpSite", "McAfeeHttp", "update.nai.com:80"),
    ]


def test_a_right_list_has_no_troubles_in_whatever_order() -> None:
    due = due_sites(TOPOLOGY, PC)
    assert troubles(PC, written(due), due) == []
    assert troubles(PC, written(due[::-1]), due) == []


def test_what_is_missing_or_too_much_is_told() -> None:
    due = due_sites(TOPOLOGY, PC)
    other = ListedSite("SpipeSite", "evil:80", "Software", "master", "ePO_EVIL")
    ((_, missing),) = troubles(PC, written(due[1:]), due)
    assert "not SpipeSite ePO_HANDLER handler.dmz.test:80" in missing and "also" not in missing
    ((wanted, surplus),) = troubles(PC, written((*due, other)), due)
    assert "also SpipeSite ePO_EVIL evil:80" in surplus and wanted.startswith("tokyo/tokyo-pc-1: SiteList.xml names")
    ((_, doubled),) = troubles(PC, written((*due, due[0])), due)
    assert "it names 5 sites" in doubled
    ((_, spoilt),) = troubles(PC, written(due)[:-9], due)
    assert "not XML" in spoilt


def test_ways_of_reading_that_disagree_are_told() -> None:
    nested = text(SPIPE.replace("<RelativePath>Software</RelativePath>", "<A><RelativePath>x</RelativePath></A>"))
    ((wanted, _),) = troubles(PC, nested, ())
    assert "see the same" in wanted
