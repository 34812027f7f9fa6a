"""Every spelling of a target gets to the site that the list means, or nowhere."""

import pytest

from miniepo.errors import RefusedError
from miniepo.protocol.relay_targets import Endpoint, allowed_targets, names_to_resolve, read_target
from miniepo.protocol.sitelist import Site, SiteList
from tests.unit.miniepo.standins import HANDLER, SUPERAGENT

LIST = SiteList("EPO", "1", (HANDLER, SUPERAGENT))
RESOLVED = {"epo.hq.test": ("10.1.0.10", "fd00:1::10"), "sa.tokyo.test": ("10.3.0.10",)}
ALLOWED = allowed_targets(LIST, RESOLVED)
SPELLINGS = [
    ("10.1.0.10:443", "10.1.0.10"),
    ("[::ffff:10.1.0.10]:443", "10.1.0.10"),
    ("[::FFFF:0A01:000A]:443", "10.1.0.10"),
    ("[fd00:1::10]:443", "fd00:1::10"),
    ("[FD00:0001:0:0:0:0:0:0010]:443", "fd00:1::10"),
    ("[fd00:1:0::10]:443", "fd00:1::10"),
    ("EPO.HQ.Test:443", "epo.hq.test"),
    ("epo.hq.test.:443", "epo.hq.test"),
    ("epo:443", "epo"),
    ("10.1.0.10:0443", "10.1.0.10"),
    ("10.1.0.10.:443", "10.1.0.10"),
]
STRANGERS = [
    "10.1.0.11:443",
    "10.1.0.10:22",
    "10.1.0.10:8443",
    "127.0.0.1:443",
    "localhost:443",
    "0.0.0.0:443",
    "0:443",
    "[::1]:443",
    "[::]:443",
    "[::ffff:127.0.0.1]:443",
    "[::ffff:10.1.0.11]:443",
    "[::10.1.0.10]:443",
    "[64:ff9b::10.1.0.10]:443",
    "[2002:0a01:000a::]:443",
    "10.1.10:443",
    "167837706:443",
    "0x0a01000a:443",
    "012.01.0.012:443",
    "epo.hq.test..:443",
    ".epo.hq.test:443",
    "epo.hq.test.evil.example:443",
    "evil.epo.hq.test:443",
    "xn--epo.hq.test:443",
    "ah.dmz.test:443",
]
NO_TARGETS = [
    "",
    ":443",
    "epo.hq.test",
    "epo.hq.test:",
    "epo.hq.test:0",
    "epo.hq.test:65536",
    "epo.hq.test:-443",
    "epo.hq.test:+443",
    "epo.hq.test: 443",
    "epo.hq.test:443 ",
    "epo.hq.test:443\n",
    "epo.hq.test:443\r\nHost: x",
    "epo.hq.test:4\u06643",
    "epo\u3002hq.test:443",
    "\u0435po.hq.test:443",
    "epo.hq.test\x00.evil:443",
    "user@epo.hq.test:443",
    "http://epo.hq.test:443",
    "epo.hq.test/../:443",
    "epo.hq.test:443:22",
    "10.1.0.10:22:443",
    "fd00:1::10:443",
    "[fd00:1::10%eth0]:443",
    "[fe80::1%25eth0]:443",
    "[10.1.0.10]:443",
    "[fd00:1::10]443",
    "[[fd00:1::10]]:443",
    "[epo.hq.test]:443",
    f"{'a' * 255}:443",
]


@pytest.mark.parametrize(("text", "host"), SPELLINGS)
def test_a_spelling_of_a_listed_target_gets_to_it(text: str, host: str) -> None:
    target = read_target(text)
    assert target == Endpoint(host, 443)
    assert set(ALLOWED[target]) <= {"10.1.0.10", "fd00:1::10"}


@pytest.mark.parametrize("text", STRANGERS)
def test_what_is_not_listed_is_not_listed_in_any_spelling(text: str) -> None:
    assert read_target(text) not in ALLOWED


@pytest.mark.parametrize("text", NO_TARGETS)
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="bad-request"):
        read_target(text)


def test_a_target_is_dialled_at_addresses_that_the_relay_knows() -> None:
    assert ALLOWED[Endpoint("epo.hq.test", 443)] == ("10.1.0.10", "fd00:1::10")
    assert ALLOWED[Endpoint("fd00:1::10", 443)] == ("fd00:1::10",)
    assert ALLOWED[Endpoint("sa.tokyo.test", 8081)] == ("10.3.0.10", "fd00:3::10")
    assert all("." not in name or name[0].isdigit() for addresses in ALLOWED.values() for name in addresses)


def test_a_name_that_resolves_elsewhere_takes_nobody_inside_the_relay() -> None:
    inward = ("127.0.0.1", "::1", "0.0.0.0", "::", "169.254.1.1", "fe80::1", "224.0.0.1", "ff02::1", "::ffff:127.0.0.1")
    bare = Site("SpipeSite", "x", "master", 1, "epo.hq.test", 80)
    assert allowed_targets(SiteList("EPO", "1", (bare,)), {"epo.hq.test": inward}) == {}
    allowed = allowed_targets(LIST, {"epo.hq.test": (*inward, "10.1.0.99")})
    assert allowed[Endpoint("epo.hq.test", 443)] == ("10.1.0.99", "10.1.0.10", "fd00:1::10")
    assert Endpoint("127.0.0.1", 443) not in allowed


def test_without_an_answer_of_the_name_service_the_addresses_of_the_list_are_left() -> None:
    assert allowed_targets(LIST, {})[Endpoint("epo.hq.test", 443)] == ("10.1.0.10", "fd00:1::10")
    bare = Site("SpipeSite", "x", "master", 1, "epo.hq.test", 80)
    assert allowed_targets(SiteList("EPO", "1", (bare,)), {}) == {}


def test_only_names_are_looked_up() -> None:
    bare = Site("SpipeSite", "x", "master", 1, "10.1.0.10", 80)
    assert names_to_resolve(SiteList("EPO", "1", (bare, *LIST.sites, HANDLER))) == ("epo.hq.test", "sa.tokyo.test")


def test_a_site_that_is_disabled_is_no_target() -> None:
    off = Site("SpipeSite", "x", "master", 1, "10.1.0.10", 80, enabled=False)
    assert allowed_targets(SiteList("EPO", "1", (off,)), {}) == {}
