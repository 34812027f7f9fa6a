"""The version that is presented starts the agents' DataChannel (domain §2.1: 4.5.0 or later)."""

from __future__ import annotations

from miniepo.protocol.sitelist import Site
from miniepo.protocol.version import EPO_VERSION


def test_the_version_is_new_enough_for_the_datachannel() -> None:
    assert Site("SpipeSite", "a", "master", 1, "a", 80, version=EPO_VERSION).speaks_datachannel
