"""A session as a trainee reads it."""

from __future__ import annotations

import pytest

from miniepo.protocol import messages
from miniepo.protocol.transcript import name_of

SITELIST = messages.SiteListFile(version="s", xml="<x/>")
POLICIES = messages.PolicySet(version="p", policies=())
EVENT = messages.Event(key="e", kind="threat", event_id=1, severity=4, detected=1.0)


def props(kind: str, *names: str) -> messages.Props:
    return messages.Props(guid="G", kind="full" if kind == "full" else "incremental", props_version="v",
                          values=dict.fromkeys(names, "1"))  # fmt: skip


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (messages.PropsVersion(guid="G", version="4.8.0", props_version="v"), "PROPS VERSION"),
        (messages.RequestProps(kind="incremental"), "REQUEST PROPS"),
        (props("incremental", "b", "a"), "INC PROPS (a, b)"),
        (props("incremental"), "INC PROPS (nothing)"),
        (props("full", "a", "b", "c"), "PROPS (3)"),
        (messages.Package(policies=POLICIES, sitelist=SITELIST), "POLICY (policies, site list)"),
        (messages.Package(), "POLICY (nothing)"),
        (messages.Events(guid="G", events=(EVENT,)), "EVENTS (1)"),
        (messages.EventsAccepted(keys=("a", "b")), "EVENTS ACCEPTED (2)"),
        (messages.Refused(code="regenerate-guid", text="taken"), "REFUSED (regenerate-guid)"),
        (messages.Acknowledged(), "ACKNOWLEDGED"),
        (messages.Enrolled(guid="G"), "ENROLLED"),
    ],
)
def test_each_message_has_the_name_of_its_package(message: object, name: str) -> None:
    assert name_of(message) == name


def test_a_long_list_of_names_is_cut() -> None:
    assert name_of(props("incremental", *(f"p{number:02}" for number in range(14)))).endswith("p11 and 2 more)")
