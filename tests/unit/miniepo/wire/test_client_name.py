"""What a TLS client is called."""

from __future__ import annotations

from miniepo.wire.client_name import CLIENT_NAME, client_name, common_name


def test_the_common_name_is_found_among_others() -> None:
    subject = ((("organizationName", "lab"),), (("commonName", "DataChannelAH_hq/epo"),))
    assert common_name({"subject": subject}) == "DataChannelAH_hq/epo"


def test_without_certificate_or_name_it_is_empty() -> None:
    assert common_name(None) == common_name({}) == common_name({"subject": ((("organizationName", "lab"),),)}) == ""


def test_a_request_knows_its_client() -> None:
    assert client_name({"state": {CLIENT_NAME: "x"}}) == "x"
    assert client_name({"type": "http"}) == ""
