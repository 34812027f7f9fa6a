"""The way into a node of either kind, and what a guest that stays silent is called."""

from collections.abc import Sequence
from typing import Any

import pytest

from epolab.errors import NotReadyError
from epolab.hands.guest import ssh_proxy_argv, until_listening
from epolab.hands.run import Completed


class Container:
    """A container whose guest answers or does not; it remembers what it was asked."""

    def __init__(self, exit_code: int) -> None:
        self._exit_code = exit_code
        self.asked: list[list[str]] = []

    def exec(self, _name: str, argv: Sequence[str], limit_seconds: float | None = None) -> Completed:
        self.asked.append(list(argv))
        if argv[0] == "tail":
            return Completed(0, b"Kernel panic - not syncing\n", b"")
        return Completed(self._exit_code, b"", b"")


def container(exit_code: int) -> Any:
    return Container(exit_code)


@pytest.mark.parametrize(
    ("kind", "door"),
    [("container", ["/usr/sbin/sshd", "-i"]), ("vm", ["/usr/bin/busybox", "nc", "127.0.0.1", "2222"])],
)
def test_each_kind_has_its_own_door(kind: str, door: list[str]) -> None:
    assert ssh_proxy_argv("lab.hq.pc-1", kind) == ["docker", "exec", "-i", "lab.hq.pc-1", *door]


def test_waiting_ends_when_the_guest_answers() -> None:
    engine = container(0)
    until_listening(engine, "lab.hq.pc-1", 30)
    assert engine.asked == [["vm-wait", "30"]]


def test_a_silent_guest_is_named_with_the_last_it_said() -> None:
    with pytest.raises(NotReadyError, match=r"lab\.hq\.pc-1 does not answer by ssh within 30 s") as caught:
        until_listening(container(1), "lab.hq.pc-1", 30)
    assert caught.value.evidence == ["Kernel panic - not syncing"]
