"""What an agent makes of the datagrams on the agent broadcast port."""

import logging
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from miniepo.agent.alarm import Alarm
from miniepo.agent.ear import Ear
from miniepo.agent.nonces import NonceMemory
from miniepo.protocol.messages import Wakeup
from miniepo.protocol.segment import SegmentWakeup, seal_for_segment
from tests.unit.miniepo.standins import SetClock, state_directory

KEY = SigningKey(b"k" * 32)
HERE = "10.2.0.0/24"


class Listener:
    """An ear and what it woke."""

    def __init__(self, folder: Path, willing: bool = True) -> None:
        self.woken: list[Wakeup] = []
        self.clock = SetClock(5000.0)
        state, alarm = state_directory(folder), Alarm()
        alarm.connect(self.woken.append)
        self.nonces = NonceMemory(state)
        self.ear = Ear(state, KEY.verify_key, self.nonces, self.clock, alarm, lambda: willing)
        self.ear.on_segments(frozenset({HERE}))


def datagram(wakeup_id: str = "w-1", segment: str = HERE, key: SigningKey = KEY, nonce: str = "n") -> bytes:
    order = SegmentWakeup(wakeup_id=wakeup_id, segment=segment)
    return seal_for_segment(order, key, sender="epo", issued_at=5000.0, nonce=nonce)


@pytest.fixture
def listener(tmp_path: Path) -> Listener:
    return Listener(tmp_path)


def refusals(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_broadcast_wakes_once_in_whichever_family_it_comes_first(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    listener.ear.heard(datagram(), "10.2.0.10")
    listener.ear.heard(datagram(), "fe80::10")
    assert listener.woken == [Wakeup(guid="GUID-1", wakeup_id="w-1")]
    assert refusals(caplog) == [], "the second copy is no attack"


def test_a_second_superagent_of_the_segment_wakes_nobody_again(listener: Listener) -> None:
    listener.ear.heard(datagram(nonce="n-1"), "10.2.0.10")
    listener.ear.heard(datagram(nonce="n-2"), "10.2.0.11")
    assert len(listener.woken) == 1
    listener.ear.heard(datagram("w-2", nonce="n-3"), "10.2.0.11")
    assert [call.wakeup_id for call in listener.woken] == ["w-1", "w-2"]


def test_a_replay_is_refused_and_leaves_a_line(listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    listener.ear.heard(datagram(), "10.2.0.10")
    listener.clock.at += 60
    listener.ear.heard(datagram(), "10.2.0.66")
    assert len(listener.woken) == 1
    assert refusals(caplog) == ["broadcast from 10.2.0.66 refused: the nonce was seen before: a replayed request"]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (datagram(key=SigningKey(b"x" * 32)), "signature is not that"),
        (datagram(segment="10.3.0.0/24"), "foreign-segment"),
    ],
    ids=["forged", "from another segment"],
)
def test_what_is_refused_leaves_a_line_and_uses_nothing_up(
    listener: Listener, caplog: pytest.LogCaptureFixture, data: bytes, line: str
) -> None:
    listener.ear.heard(data, "10.2.0.66")
    assert listener.woken == [] and len(refusals(caplog)) == 1 and line in refusals(caplog)[0]
    listener.ear.heard(datagram(), "10.2.0.10")
    assert len(listener.woken) == 1


def test_a_question_for_relays_is_none_of_its_business(listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    listener.ear.heard(b'{"discover":"relay","nonce":"n"}', "10.2.0.12")
    assert listener.woken == [] and refusals(caplog) == []


def test_what_the_agent_shouted_itself_is_no_attack(listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    listener.ear.on_segments(frozenset({HERE}), frozenset({"10.2.0.10", "fe80::10"}))
    listener.nonces.note("broadcast w-1", 5000.0)
    listener.ear.heard(datagram(), "10.2.0.10")
    listener.ear.heard(datagram(), "fe80::10")
    assert listener.woken == [] and refusals(caplog) == []


def test_policy_can_close_the_ear(tmp_path: Path) -> None:
    deaf = Listener(tmp_path, willing=False)
    deaf.ear.heard(datagram(), "10.2.0.10")
    assert deaf.woken == []
