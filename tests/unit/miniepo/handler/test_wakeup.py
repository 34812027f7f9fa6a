"""Which names of an agent are tried, on which port, and what the agent gets."""

from __future__ import annotations

import dataclasses

import pytest
from nacl.signing import SigningKey

from miniepo.handler.wakeup import names_of, seal_wakeup, wakeup_port
from miniepo.protocol import codec, messages, signing
from miniepo.store.systems import System
from miniepo.store.work import Work

SYSTEM = System(
    id=7, group_id=2, group_path="", name="pc-1", guid="G", version="4.8.0", last_update=None, public_key="k",
    props_version="", policy_version="", tasks_version="", sitelist_version="", problems="", last_wakeup_id=None,
    via_relay=None, remote_address="", computer_name="PC-1", fqdn="pc-1.test", address="10.0.0.7", ipv6="",
    last_handler_id=None, properties={},
)  # fmt: skip


def test_names_are_tried_in_the_order_of_the_source() -> None:
    assert names_of(SYSTEM) == ("pc-1.test", "PC-1", "10.0.0.7")
    assert names_of(dataclasses.replace(SYSTEM, fqdn="", address="")) == ("PC-1",)


@pytest.mark.parametrize(
    ("reported", "expected"), [("8591", 8591), ("", 8081), ("0", 8081), ("x", 8081), ("70000", 8081)]
)
def test_the_port_is_the_one_that_the_agent_reports(reported: str, expected: int) -> None:
    assert wakeup_port(dataclasses.replace(SYSTEM, properties={"WakeupPort": reported})) == expected


class Still:
    """A clock and an entropy that do not move."""

    def now(self) -> float:
        return 1000.0

    def monotonic(self) -> float:
        return 0.0

    def nonce(self) -> str:
        return "n"

    def guid(self) -> str:
        return "G"

    def uniform(self, low: float, high: float) -> float:
        return low


def test_a_wakeup_is_sealed_for_one_agent_and_carries_no_content() -> None:
    key = SigningKey(b"1" * 32)
    work = Work(1, "wakeup", 7, "w-1", {"full_props": True, "random_seconds": 30}, 1)
    envelope = signing.open_envelope(seal_wakeup(key, "hq/epo", "G", work, Still(), Still()))
    signing.verify(envelope, key.verify_key, now=1000)
    assert (envelope.sender, envelope.recipient) == ("hq/epo", "G")
    expected = messages.Wakeup(guid="G", wakeup_id="w-1", full_props=True, random_seconds=30)
    assert codec.decode_to_agent(envelope.payload) == expected
