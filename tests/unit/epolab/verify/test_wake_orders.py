"""An order and its entry in the log belong together by the systems that it is about."""

from typing import Any, cast

from epolab.verify.wake_orders import order
from epolab.verify.witness import Witness


class Server:
    """A server that makes another entry beside the one that is asked for."""

    def __init__(self, own: list[str]) -> None:
        self.own, self.words, self.entries = own, {}, {1: ["old.hq.test"]}

    def api(self, command: str, **words: str) -> Any:
        match command:
            case "system.wakeupAgent":
                self.words = words
                self.entries |= {2: self.own, 3: ["other.hq.test"]}
                return "completed: 1"
            case "tasklog.listTaskHistory":
                return [{"id": number} for number in sorted(self.entries, reverse=True)]
            case "tasklog.listSubtasks":
                names = self.entries[int(words["taskLogId"])]
                return [{"computerName": name, "state": "Completed"} for name in names]
            case "tasklog.listMessages":
                return [{"subtask": name, "message": f"{name}: woken"} for name in self.own]
        raise AssertionError(command)


def test_the_entry_about_the_same_systems_is_the_orders() -> None:
    names = ["a.hq.test", "b.hq.test"]
    server = Server(names)
    reply, log = order(cast(Witness, server), names, {"attempts": "3", "abortAfterMinutes": "1"})
    assert reply == "completed: 1"
    assert {name: told.message for name, told in log.items()} == {name: f"{name}: woken" for name in names}
    assert server.words == {"names": "a.hq.test,b.hq.test", "attempts": "3", "abortAfterMinutes": "1"}


def test_an_order_without_an_entry_has_no_log() -> None:
    assert order(cast(Witness, Server(["another.hq.test"])), ["a.hq.test"], {}) == ("completed: 1", {})
