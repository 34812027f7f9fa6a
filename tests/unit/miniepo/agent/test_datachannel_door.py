"""Which notices of the DataChannel are believed, and what a stranger gets."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from miniepo.agent.datachannel_door import DataChannelDoor, accept_notice
from miniepo.agent.nonces import NonceMemory
from miniepo.errors import MessageError, ReplayedEnvelopeError, SignatureError, StaleEnvelopeError
from miniepo.protocol import codec, signing
from miniepo.protocol.datachannel import ChannelItems, ChannelWaiting
from miniepo.protocol.messages import ToAgent, Wakeup
from miniepo.wire.http_response import Response
from tests.unit.miniepo.standins import SetClock, request, state_directory

KEY = SigningKey(b"k" * 32)
NOW = 5000.0
NOTICE = ChannelWaiting(guid="G-1")


def sealed(message: ToAgent = NOTICE, key: SigningKey = KEY, recipient: str = "G-1", at: float = NOW) -> bytes:
    return signing.seal(codec.encode(message), key, sender="epo", recipient=recipient, issued_at=at, nonce="n-1")


def test_a_notice_is_believed_once(tmp_path: Path) -> None:
    nonces = NonceMemory(state_directory(tmp_path))
    accept_notice(sealed(), "G-1", KEY.verify_key, nonces, NOW)
    with pytest.raises(ReplayedEnvelopeError):
        accept_notice(sealed(), "G-1", KEY.verify_key, nonces, NOW + 1)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (sealed(key=SigningKey(b"x" * 32)), SignatureError),
        (sealed(recipient="G-2"), SignatureError),
        (sealed(at=NOW - 301), StaleEnvelopeError),
        (sealed(ChannelItems()), MessageError),
        (sealed(Wakeup(guid="G-1", wakeup_id="w")), MessageError),
        (sealed(ChannelWaiting(guid="G-2")), MessageError),
        (b"", MessageError),
    ],
    ids=["key", "recipient", "old", "items", "wake-up", "other guid", "nothing"],
)
def test_no_other_notice_is(data: bytes, error: type[Exception], tmp_path: Path) -> None:
    nonces = NonceMemory(state_directory(tmp_path))
    with pytest.raises(error):
        accept_notice(data, "G-1", KEY.verify_key, nonces, NOW)
    accept_notice(sealed(), "G-1", KEY.verify_key, nonces, NOW)


class Place:
    """A door, who stands behind it, and how often it was told."""

    def __init__(self, folder: Path) -> None:
        self.told = 0
        state = state_directory(folder)
        self.guid = state.registration.guid
        self.door = DataChannelDoor(
            state, KEY.verify_key, NonceMemory(state), self._handlers, self._tell, SetClock(NOW)
        )

    async def _handlers(self) -> frozenset[str]:
        return frozenset({"10.1.0.10"})

    def _tell(self) -> None:
        self.told += 1

    def ask(self, method: str = "POST", path: str = "/datachannel", peer: str = "10.1.0.10") -> Response | None:
        data = sealed(ChannelWaiting(guid=self.guid), recipient=self.guid)
        return asyncio.run(self.door.handle(request(method, path, data, peer)))


def test_a_handler_of_the_list_is_heard_and_a_replay_is_not(tmp_path: Path) -> None:
    place = Place(tmp_path)
    first, second = place.ask(), place.ask()
    assert first is not None and first.status == 202 and place.told == 1
    assert second is not None and second.status == 403 and place.told == 1


def test_a_stranger_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path)
    answer = place.ask(peer="10.9.9.9")
    assert answer is not None and answer.status == 403 and place.told == 0


def test_other_requests_are_left_to_others(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert place.ask(path="/wakeup") is None
    answer = place.ask(method="GET")
    assert answer is not None and answer.status == 405 and place.told == 0
