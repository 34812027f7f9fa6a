"""Playbooks of an agent-server communication: what comes in, what must go out."""

import msgspec
import pytest
from nacl.signing import SigningKey

from miniepo.errors import MessageError
from miniepo.handler.routes import MAX_PACKAGE_BYTES
from miniepo.protocol import codec, signing
from miniepo.protocol.agent_session import (
    MAX_EVENT_BYTES,
    AgentSession,
    Command,
    Enforce,
    EnforcementDone,
    Finish,
    ForgetEvents,
    ForgetStatus,
    Identity,
    MakeIdentity,
    Occasion,
    Outbox,
    RememberProperties,
    Send,
    TakeIdentity,
    Versions,
    changed_since,
    encoded,
    props_version,
)
from miniepo.protocol.messages import (
    Acknowledged,
    Enforced,
    Enrol,
    Enrolled,
    Event,
    Events,
    EventsAccepted,
    FromAgent,
    Package,
    PolicySet,
    Props,
    PropsVersion,
    Refused,
    RequestProps,
    TaskStatus,
    Wakeup,
)

PROPERTIES = {"ComputerName": "pc-1", "FreeMemory": "5"}
STATUS = TaskStatus(guid="G-1", task_id="7", run_id="r", status="succeeded")
EMPTY = Outbox()
POLICIES = PolicySet(version="p2", policies=())


def identity(enrolled: bool = True) -> Identity:
    return Identity("G-1", "KEY", "pc-1", "pc-1.tokyo.test", "4.8.0", "Linux", "secret", enrolled, 7)


def event(key: str) -> Event:
    return Event(key=key, kind="threat", event_id=1092, severity=4, detected=1.0)


def session(
    enrolled: bool = True, sent: dict[str, str] | None = None, outbox: Outbox = EMPTY, full_props: bool = False
) -> AgentSession:
    occasion = Occasion("wakeup", wakeup_id="w-1", via_relay="relay-1", full_props=full_props)
    return AgentSession(identity(enrolled), Versions("p1", "t1", "s1"), PROPERTIES, sent or {}, outbox, occasion)


def sent_message(commands: list[Command]) -> FromAgent:
    """The one message among the commands, which must be the last of them."""
    last = commands[-1]
    assert isinstance(last, Send)
    return last.message


def test_a_known_agent_begins_with_its_versions() -> None:
    message = sent_message(session().start())
    assert message == PropsVersion(
        guid="G-1",
        version="4.8.0",
        props_version=props_version(PROPERTIES),
        policy_version="p1",
        tasks_version="t1",
        sitelist_version="s1",
        reason="wakeup",
        wakeup_id="w-1",
        via_relay="relay-1",
        computer_name="pc-1",
        sequence=7,
    )


def test_a_new_agent_enrols_first_and_proves_that_it_knows_the_key() -> None:
    book = session(enrolled=False)
    message = sent_message(book.start())
    assert isinstance(message, Enrol)
    assert message.proof == signing.enrolment_proof("secret", "G-1", "KEY", "pc-1")
    commands = book.receive(Enrolled(guid="G-2"))
    assert commands[0] == TakeIdentity("G-2")
    begun = sent_message(commands)
    assert isinstance(begun, PropsVersion) and begun.guid == "G-2"


def test_incremental_properties_are_the_changed_ones() -> None:
    before = {"ComputerName": "pc-1", "FreeMemory": "9", "Relay.Port": "8083"}
    book = session(sent=before)
    asked = RequestProps(kind="incremental", known_version=props_version(before))
    message = sent_message(book.receive(asked))
    assert isinstance(message, Props)
    assert (message.kind, message.values) == ("incremental", {"FreeMemory": "5", "Relay.Port": ""})


@pytest.mark.parametrize(
    ("request_props", "full_props"),
    [
        (RequestProps(kind="full"), False),
        (RequestProps(kind="incremental"), True),
        (RequestProps(kind="incremental", known_version="of another life"), False),
    ],
)
def test_all_properties_go_where_changes_would_not_do(request_props: RequestProps, full_props: bool) -> None:
    message = sent_message(session(sent={"FreeMemory": "9"}, full_props=full_props).receive(request_props))
    assert isinstance(message, Props)
    assert (message.kind, message.values) == ("full", PROPERTIES)


def test_an_empty_package_ends_the_call() -> None:
    assert session().receive(Package()) == [RememberProperties(PROPERTIES), Finish()]


def test_a_package_is_enforced_and_the_outcome_reported() -> None:
    book = session()
    package = Package(policies=POLICIES)
    assert book.receive(package) == [RememberProperties(PROPERTIES), Enforce(package)]
    after = PROPERTIES | {"Relay.Enabled": "1"}
    message = sent_message(book.receive(EnforcementDone(Versions("p2", "t1", "s1"), after, ("no relay service",))))
    assert isinstance(message, Enforced)
    assert (message.policy_version, message.values, message.problems) == (
        "p2",
        {"Relay.Enabled": "1"},
        ("no relay service",),
    )
    assert book.receive(Acknowledged()) == [RememberProperties(after), Finish()]


def test_events_go_in_batches_until_all_are_accepted() -> None:
    events = tuple(event(f"e{number}") for number in range(150))
    book = session(outbox=Outbox(events, (STATUS,)))
    first = sent_message(book.receive(Package()))
    assert isinstance(first, Events) and len(first.events) == 100
    keys = tuple(each.key for each in first.events)
    commands = book.receive(EventsAccepted(keys=keys))
    assert commands[0] == ForgetEvents(keys)
    second = sent_message(commands)
    assert isinstance(second, Events) and [each.key for each in second.events] == [f"e{n}" for n in range(100, 150)]
    assert sent_message(book.receive(EventsAccepted(keys=tuple(each.key for each in second.events)))) == STATUS
    assert book.receive(Acknowledged()) == [ForgetStatus(STATUS), Finish()]


def big(number: int) -> Event:
    """As big as an event may be."""
    bare = Event(key=f"e{number:03d}", kind="threat", event_id=1092, severity=4, detected=1.0)
    return msgspec.structs.replace(bare, text="x" * (MAX_EVENT_BYTES - len(encoded(bare))))


@pytest.mark.parametrize("occasion", [Occasion("asci"), Occasion("event")])
def test_the_biggest_events_go_in_pieces_that_a_handler_takes_and_what_waits_behind_them_goes_too(
    occasion: Occasion,
) -> None:
    events = tuple(big(number) for number in range(100))
    book = AgentSession(identity(), Versions(), PROPERTIES, {}, Outbox((*events, event("last")), (STATUS,)), occasion)
    said = sent_message(book.start() if occasion.reason == "event" else book.receive(Package()))
    arrived: list[Event] = []
    while isinstance(said, Events):
        body = codec.encode(said)
        sealed = signing.seal(body, SigningKey(b"1" * 32), sender="G", recipient="", issued_at=1.0, nonce="n" * 64)
        assert len(sealed) <= MAX_PACKAGE_BYTES / 8
        arrived += said.events
        said = sent_message(book.receive(EventsAccepted(keys=tuple(each.key for each in said.events))))
    assert arrived == [*events, event("last")] and said == STATUS


def test_an_event_that_is_too_big_to_travel_is_none() -> None:
    with pytest.raises(MessageError, match="an event of 65537 bytes; a handler is sent none of more than 65536"):
        encoded(msgspec.structs.replace(big(1), text=big(1).text + "x"))


def test_a_status_from_before_a_new_guid_is_sent_under_the_new_one_and_forgotten_as_it_was_kept() -> None:
    kept = TaskStatus(guid="OLD", task_id="7", run_id="r", status="succeeded")
    book = session(outbox=Outbox(statuses=(kept,)))
    assert sent_message(book.receive(Package())) == STATUS
    assert book.receive(Acknowledged()) == [ForgetStatus(kept), Finish()]


def urgent(outbox: Outbox, enrolled: bool = True) -> AgentSession:
    return AgentSession(identity(enrolled), Versions("p1", "t1", "s1"), PROPERTIES, {}, outbox, Occasion("event"))


def test_events_of_priority_travel_alone() -> None:
    book = urgent(Outbox((event("e1"),)))
    (first,) = book.start()
    assert isinstance(first, Send) and isinstance(first.message, Events)
    assert book.receive(EventsAccepted(keys=("e1",))) == [ForgetEvents(("e1",)), Finish()]


def test_an_agent_that_must_enrol_first_goes_through_the_whole_session_with_its_event() -> None:
    book = urgent(Outbox((event("e1"),)), enrolled=False)
    assert isinstance(sent_message(book.start()), Enrol)
    assert isinstance(sent_message(book.receive(Enrolled(guid="G-1"))), PropsVersion)
    assert isinstance(sent_message(book.receive(Package())), Events)


def test_a_handler_that_accepts_no_event_does_not_make_it_go_round_for_ever() -> None:
    book = session(outbox=Outbox((event("e1"),)))
    book.receive(Package())
    assert book.receive(EventsAccepted(keys=()))[-1] == Finish("the handler accepted none of the events")


def test_an_unknown_agent_enrols_again_once() -> None:
    book = session()
    refusal = Refused(code="unknown-agent", text="never heard of")
    assert isinstance(sent_message(book.receive(refusal)), Enrol)
    book.receive(Enrolled(guid="G-1"))
    assert book.receive(refusal) == [Finish("unknown-agent: never heard of")]


def test_a_taken_guid_makes_a_new_identity() -> None:
    assert session().receive(Refused(code="regenerate-guid", text="taken")) == [
        MakeIdentity(),
        Finish("regenerate-guid: taken"),
    ]


def test_any_other_refusal_ends_the_call() -> None:
    assert session().receive(Refused(code="stale", text="old")) == [Finish("stale: old")]


def test_answers_out_of_order_are_no_answers() -> None:
    with pytest.raises(MessageError):
        session().receive(Acknowledged())
    with pytest.raises(MessageError):
        session().receive(Wakeup(guid="G-1", wakeup_id="w"))


def test_what_is_gone_becomes_empty_once() -> None:
    assert changed_since({"a": "1", "b": "", "c": "3"}, {"a": "1"}) == {"c": ""}
