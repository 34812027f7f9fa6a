"""A visit to the DataChannel as a playbook: what the handler answers, and what the agent does about it."""

from __future__ import annotations

from collections.abc import Container, Sequence

from nacl.signing import SigningKey

from miniepo.handler.routes import MAX_PACKAGE_BYTES
from miniepo.protocol import codec, signing
from miniepo.protocol.datachannel import (
    MAX_NAME_CHARACTERS,
    MAX_PAYLOAD_BYTES,
    MESSAGES_PER_EXCHANGE,
    ChannelExchange,
    ChannelItems,
    ChannelMessage,
    check_messages,
)
from miniepo.protocol.datachannel_session import (
    ChannelSession,
    Command,
    Finish,
    Forget,
    Keep,
    Say,
)

NOW = 1000.0


def message(id: str, expires: float = NOW + 60) -> ChannelMessage:
    return ChannelMessage(id=id, product="EPOAGENT3000", kind="echo", expires=expires)


def session(outbox: Sequence[ChannelMessage] = (), seen: Container[str] = ()) -> ChannelSession:
    return ChannelSession("G", outbox, seen, NOW)


def say(taken: Sequence[str] = (), messages: Sequence[ChannelMessage] = ()) -> Say:
    return Say(ChannelExchange(guid="G", taken=tuple(taken), messages=tuple(messages)))


def items(*found: ChannelMessage, accepted: Sequence[str] = ()) -> ChannelItems:
    return ChannelItems(items=found, accepted=tuple(accepted))


def test_with_nothing_on_either_side_one_question_is_enough() -> None:
    visit = session()
    assert visit.start() == [say()]
    assert visit.receive(items()) == [Finish()]


def test_what_waits_is_kept_before_it_is_taken() -> None:
    visit = session()
    visit.start()
    one, two = message("1"), message("2")
    assert visit.receive(items(one, two)) == [Keep((one, two)), say(["1", "2"])]
    assert visit.receive(items()) == [Finish()]


def test_what_comes_again_is_taken_again_and_not_kept_twice() -> None:
    visit = session(seen={"1"})
    visit.start()
    assert visit.receive(items(message("1"))) == [say(["1"])]
    assert visit.receive(items()) == [Finish()]


def test_the_same_item_twice_in_one_answer_is_taken_once() -> None:
    visit = session()
    visit.start()
    commands = visit.receive(items(message("1"), message("1")))
    assert commands[-1] == say(["1"])


def test_a_handler_that_offers_for_ever_what_was_taken_is_left() -> None:
    visit = session()
    visit.start()
    visit.receive(items(message("1")))
    assert visit.receive(items(message("1"))) == [Finish()]


def test_an_item_whose_time_is_over_is_kept_for_its_product_to_say_so() -> None:
    visit = session()
    visit.start()
    late = message("1", expires=NOW)
    assert visit.receive(items(late)) == [Keep((late,)), say(["1"])]


def test_what_products_say_at_once_goes_up_with_the_taking() -> None:
    visit = session([message("a")])
    first = ChannelExchange(guid="G", messages=(message("a"),))
    assert visit.start() == [Say(first)] and visit.fill(first, [message("a")]) == first
    _, _, taking = visit.receive(items(message("1"), accepted=["a"]))
    assert taking == say(["1"])
    outbox = [message("a"), message("b"), message("c", expires=NOW)]
    assert visit.fill(ChannelExchange(guid="G", taken=("1",)), outbox).messages == (message("b"),)
    assert visit.receive(items(accepted=["b"])) == [Forget(("b",)), Finish()]


def test_what_is_said_in_a_visit_and_not_accepted_stays_and_nothing_more_goes_up() -> None:
    visit = session()
    visit.start()
    visit.receive(items(message("1")))
    filled = visit.fill(ChannelExchange(guid="G", taken=("1",)), [message("b")])
    assert visit.receive(items(message("2"))) == [Keep((message("2"),)), say(["2"])]
    assert filled.messages == (message("b"),)
    again = ChannelExchange(guid="G", taken=("2",))
    assert visit.fill(again, [message("b"), message("d")]) == again
    assert visit.receive(items()) == [Finish(1)]


def test_one_exchange_has_so_many_messages_and_no_more() -> None:
    many = [message(str(number)) for number in range(MESSAGES_PER_EXCHANGE + 5)]
    visit = session()
    visit.start()
    assert len(visit.fill(ChannelExchange(guid="G"), many).messages) == MESSAGES_PER_EXCHANGE


def bulky(number: int) -> ChannelMessage:
    """As big as a message may be."""
    name = "\u20ac" * MAX_NAME_CHARACTERS
    text = {"text": "x" * (MAX_PAYLOAD_BYTES - len('{"text":""}'))}
    id = f"{number:03d}{name[3:]}"
    return ChannelMessage(id=id, product=name, kind=name, correlation=name, payload=text, expires=NOW + 60)


def sealed_bytes(exchange: ChannelExchange) -> int:
    key = SigningKey(b"1" * 32)
    return len(signing.seal(codec.encode(exchange), key, sender="G", recipient="", issued_at=NOW, nonce="n" * 64))


def test_the_biggest_messages_go_up_in_pieces_that_a_handler_takes() -> None:
    outbox = [bulky(number) for number in range(MESSAGES_PER_EXCHANGE)]
    check_messages(outbox)
    handler = Handler([])
    _, done = play(session(outbox), handler)
    said = [command.exchange for command in done if isinstance(command, Say)]
    assert max(map(sealed_bytes, said)) <= MAX_PACKAGE_BYTES and len(said) <= 3
    assert handler.received == [each.id for each in outbox] and done[-1] == Finish()


def test_what_is_said_in_a_visit_fits_too_and_overtakes_nothing() -> None:
    visit = session([bulky(number) for number in range(MESSAGES_PER_EXCHANGE)])
    (first,) = visit.start()
    assert isinstance(first, Say) and visit.fill(first.exchange, [message("late")]) == first.exchange
    fresh = session()
    fresh.start()
    filled = fresh.fill(ChannelExchange(guid="G"), [*map(bulky, range(MESSAGES_PER_EXCHANGE)), message("late")])
    assert sealed_bytes(filled) <= MAX_PACKAGE_BYTES and message("late") not in filled.messages
    accepted = [each.id for each in filled.messages]
    assert fresh.receive(items(accepted=accepted)) == [Forget(tuple(accepted)), Finish()]


def test_messages_are_forgotten_when_the_server_has_them() -> None:
    visit = session([message("a"), message("b")])
    assert visit.start() == [say(messages=[message("a"), message("b")])]
    assert visit.receive(items(accepted=["a", "b"])) == [Forget(("a", "b")), Finish()]


def test_messages_that_the_server_does_not_have_stay() -> None:
    visit = session([message("a"), message("b")])
    visit.start()
    assert visit.receive(items(accepted=["b"])) == [Forget(("b",)), Finish(left=1)]


def test_an_id_that_was_never_said_is_not_forgotten() -> None:
    visit = session([message("a")])
    visit.start()
    assert visit.receive(items(accepted=["a", "stranger"])) == [Forget(("a",)), Finish()]


def test_items_are_taken_also_when_nothing_goes_up() -> None:
    visit = session([message("a")])
    visit.start()
    assert visit.receive(items(message("1"))) == [Keep((message("1"),)), say(["1"])]
    assert visit.receive(items()) == [Finish(left=1)]


def test_a_full_outbox_goes_up_in_pieces() -> None:
    outbox = [message(str(number)) for number in range(MESSAGES_PER_EXCHANGE + 1)]
    ids = [each.id for each in outbox]
    visit = session(outbox)
    assert visit.start() == [say(messages=outbox[:-1])]
    assert visit.receive(items(accepted=ids[:-1])) == [Forget(tuple(ids[:-1])), say(messages=outbox[-1:])]
    assert visit.receive(items(accepted=ids[-1:])) == [Forget((ids[-1],)), Finish()]


def test_with_the_server_away_the_rest_of_a_full_outbox_waits() -> None:
    outbox = [message(str(number)) for number in range(MESSAGES_PER_EXCHANGE + 1)]
    visit = session(outbox)
    visit.start()
    assert visit.receive(items()) == [Finish(left=MESSAGES_PER_EXCHANGE + 1)]


def test_messages_whose_time_is_over_are_dropped_before_anything_is_said() -> None:
    assert session([message("old", expires=NOW)]).start() == [Forget(("old",)), say()]


class Handler:
    """A handler that gives its items until they are taken, and passes on or not."""

    def __init__(self, waiting: Sequence[ChannelMessage], server_is_up: bool = True) -> None:
        self.waiting = list(waiting)
        self.server_is_up = server_is_up
        self.received: list[str] = []

    def answer(self, said: ChannelExchange) -> ChannelItems:
        self.waiting = [item for item in self.waiting if item.id not in said.taken]
        accepted = tuple(each.id for each in said.messages) if self.server_is_up else ()
        self.received += accepted
        return ChannelItems(items=tuple(self.waiting[:2]), accepted=accepted)


def play(visit: ChannelSession, handler: Handler) -> tuple[list[str], list[Command]]:
    kept: list[str] = []
    done: list[Command] = []
    todo = visit.start()
    while todo:
        command = todo.pop(0)
        done.append(command)
        if isinstance(command, Say):
            todo += visit.receive(handler.answer(command.exchange))
        elif isinstance(command, Keep):
            kept += [item.id for item in command.items]
    return kept, done


def test_a_visit_empties_both_sides() -> None:
    handler = Handler([message(str(number)) for number in range(5)])
    kept, done = play(session([message("a")]), handler)
    assert kept == ["0", "1", "2", "3", "4"] and handler.waiting == [] and handler.received == ["a"]
    assert done[-1] == Finish()


def test_an_acknowledgement_that_is_lost_costs_no_second_handling() -> None:
    handler = Handler([message("1")])
    lost = session()
    lost.start()
    lost.receive(handler.answer(ChannelExchange(guid="G")))  # the agent keeps it, and the line breaks
    kept, _ = play(session(seen={"1"}), handler)
    assert kept == [] and handler.waiting == []
