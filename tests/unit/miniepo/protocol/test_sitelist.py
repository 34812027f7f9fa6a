"""SiteList.xml as published parsers read it (domain §2)."""

from __future__ import annotations

from xml.dom import minidom

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniepo.errors import SiteListError
from miniepo.protocol.sitelist import Dialect, Site, SiteList, encoded, parse, split_host_port, write

SERVER = Site("SpipeSite", "ePO_EPO", "master", 1, "epo.hq.test", 80, "10.1.0.10", "fd00:1::10", "epo", 443, "5.9.1")
MIRROR = Site("SuperAgentSite", "ePOSA_SA", "repository", 2, "sa.tokyo.test", 8081, "10.2.0.10")
VENDOR = Site("HttpSite", "McAfeeHttp", "fallback", 3, "update.nai.com", 80, relative_path="Products/CommonUpdater")
LIST = SiteList("EPO", "v1", (SERVER, MIRROR, VENDOR))


def test_what_is_written_is_read_back() -> None:
    assert parse(write(LIST)) == LIST


def test_the_structure_is_the_published_one() -> None:
    root = minidom.parseString(write(LIST)).documentElement
    assert (root.tagName, root.namespaceURI, root.getAttribute("Type")) == ("ns:SiteLists", "naSiteList", "Client")
    inner = root.firstChild
    assert (inner.tagName, inner.getAttribute("Default")) == ("SiteList", "1")
    # a published parser calls attribute methods on every child: no text may stand between them (domain §2.2)
    assert [child.getAttribute("Server") for child in inner.childNodes] == [
        "epo.hq.test:80",
        "sa.tokyo.test:8081",
        "update.nai.com:80",
    ]
    assert inner.firstChild.getAttribute("ServerIP") == "10.1.0.10:80"


def test_uncertain_attributes_can_be_left_out() -> None:
    plain = Dialect(version=None, server_name=None, secure_port=None, server_ipv6=None, global_version=None)
    text = write(LIST, plain)
    assert not any(word in text for word in ("SecurePort", "ServerName", "GlobalVersion", "ServerIPV6", "5.9.1"))
    assert parse(text, plain).sites[0].host == "epo.hq.test"


def test_handlers_come_in_order_and_only_if_enabled() -> None:
    second = Site("SpipeSite", "b", "master", 1, "b", 80)
    first = Site("SpipeSite", "a", "master", 0, "a", 80)
    off = Site("SpipeSite", "c", "master", 2, "c", 80, enabled=False)
    listed = SiteList("EPO", "", (second, MIRROR, first, off))
    assert [site.name for site in listed.handlers] == ["a", "b"]
    assert [site.name for site in listed.repositories] == ["a", "b", "ePOSA_SA"]


@pytest.mark.parametrize(("version", "expected"), [("4.5.0", True), ("5.9.1", True), ("4.0.0", False), ("", False)])
def test_the_datachannel_needs_4_5(version: str, expected: bool) -> None:
    assert Site("SpipeSite", "a", "master", 1, "a", 80, version=version).speaks_datachannel is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:80", ("a", 80)),
        ("a", ("a", 80)),
        ("[fd00::1]:81", ("fd00::1", 81)),
        ("fd00::1", ("fd00::1", 80)),
        ("[::1]", ("::1", 80)),
    ],
)
def test_hosts_and_ports(text: str, expected: tuple[str, int]) -> None:
    assert split_host_port(text) == expected


@pytest.mark.parametrize(
    "text", ["", "<a/>", "<ns:SiteLists xmlns:ns='naSiteList'/>", "<SiteLists><SiteList/></SiteLists>"]
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(SiteListError):
        parse(text)


def test_a_bad_number_is_refused() -> None:
    with pytest.raises(SiteListError):
        parse(write(LIST).replace('Order="1"', 'Order="first"'))


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=30))
def test_names_of_any_characters_survive(name: str) -> None:
    listed = SiteList(name, "", (Site("SpipeSite", name, "master", 1, "h", 80),))
    assert parse(write(listed)).sites[0].name == name


@pytest.mark.parametrize("port", ["²", "٣", "-1", "+80", "65536", "9" * 5000, "80 "])
def test_a_port_is_a_number_in_plain_digits_and_in_range(port: str) -> None:
    with pytest.raises(SiteListError, match="stands where a number up to 65535 must"):
        split_host_port(f"epo.hq.lab:{port}")


def test_a_site_has_a_server() -> None:
    with pytest.raises(SiteListError, match="HttpSite 'x' has no Server"):
        parse('<ns:SiteLists xmlns:ns="naSiteList"><SiteList><HttpSite Name="x"/></SiteList></ns:SiteLists>')


ABROAD = SiteList("EPO", "v1", (Site("SpipeSite", "ePO_Zürich", "master", 1, "epo.hq.test", 80),))


def declared(encoding: str) -> str:
    return write(ABROAD).replace('encoding="UTF-8"', f'encoding="{encoding}"')


@pytest.mark.parametrize("encoding", ["UTF-8", "utf-8", "UTF-16", "ISO-8859-1", "iso-8859-15", "windows-1252"])
def test_a_file_is_read_in_the_encoding_that_it_declares(encoding: str) -> None:
    assert parse(declared(encoding).encode(encoding)) == parse(encoded(declared(encoding))) == ABROAD


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_tells_the_encoding_too(encoding: str) -> None:
    mark = "\ufeff" if encoding.endswith("e") else ""
    assert parse((mark + write(ABROAD)).encode(encoding)) == ABROAD


def test_a_file_without_a_declaration_is_utf_8() -> None:
    bare = write(ABROAD).partition("\n")[2]
    assert parse(bare.encode()) == parse(bare) == ABROAD
    with pytest.raises(SiteListError, match="no text in utf-8"):
        parse(bare.encode("latin-1"))


@pytest.mark.parametrize(
    "data",
    [
        declared("UTF-8").encode("latin-1"),
        declared("us-ascii").encode("latin-1"),
        declared("UTF-16").encode(),
        declared("UTF-16").encode("utf-16-le"),
        *(declared(name).encode() for name in ("iso-8859-99", "unicode_escape", "zlib", "utf-7", "none", "")),
        b"\xff\xfe<\x00\xd8",
        b"\x00",
        "<\ud800",
    ],
)
def test_what_is_no_text_in_its_encoding_is_no_list(data: str | bytes) -> None:
    with pytest.raises(SiteListError):
        parse(data)


@pytest.mark.parametrize("text", ["\ud800", declared("us-ascii"), declared("unicode_escape")])
def test_a_text_that_its_encoding_lacks_makes_no_file(text: str) -> None:
    with pytest.raises(SiteListError):
        encoded(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_no_encoding_hides_a_document_type(encoding: str) -> None:
    with pytest.raises(SiteListError, match="declares a document type"):
        parse('<!DOCTYPE a [<!ENTITY b "c">]><ns:SiteLists xmlns:ns="naSiteList"/>'.encode(encoding))


def test_a_document_type_is_refused() -> None:
    with pytest.raises(SiteListError, match="declares a document type"):
        parse('<!DOCTYPE a [<!ENTITY b "c">]><ns:SiteLists xmlns:ns="naSiteList"/>')
