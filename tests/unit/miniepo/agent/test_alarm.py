"""Who hears that a wake-up was believed."""

import pytest

from miniepo.agent.alarm import Alarm
from miniepo.protocol.messages import Wakeup

CALL = Wakeup(guid="G", wakeup_id="w")


def test_who_is_connected_is_woken() -> None:
    woken: list[Wakeup] = []
    alarm = Alarm()
    alarm.connect(woken.append)
    alarm.ring(CALL)
    assert woken == [CALL]


def test_an_alarm_that_nobody_hears_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="nobody"):
        Alarm().ring(CALL)
