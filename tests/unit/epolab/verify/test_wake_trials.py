"""How an agent is made hard to reach, with a lab that answers from a script."""

import socket
from pathlib import Path
from typing import Any

import pytest

from epolab.topology import load_topology
from epolab.verify.wake_trials import GIVE_BACK, NOWHERE, closed, led_astray, make
from epolab.verify.wake_trials_plan import wrong_abort, wrong_attempts, wrong_names, wrong_opening
from epolab.verify.witness import Ran, Witness

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "conversations.yaml")
NODE = TOPOLOGY.node("hq/hq-pc")
HANDLERS = ["hq/epo", "dmz/ah-1", "dmz/ah-2"]


class Lab(Witness):
    """A lab whose handlers know the agent by the last of its names that leads somewhere."""

    def __init__(self, folder: Path) -> None:
        super().__init__("lab", TOPOLOGY, folder)
        self.ran: list[tuple[str, str]] = []
        self.orders: list[dict[str, str]] = []
        self.hosts: dict[str, str] = {}
        self.barred = False

    def must(self, path: str, command: str, line: str = "") -> str:
        self.ran.append((path, command))
        if "/etc/hosts" in command:
            self.hosts[path] = command
        if "REJECT" in command:
            self.barred = " -I " in command
        return ""

    def run(self, path: str, command: str, line: str = "") -> Ran:
        moments = {4: (0, 1.6, 3.2), 5: (0, 1.1, 2.2, 3.3), 6: (0, 1.0, 2.0, 3.0, 4.0)}.get(len(self.orders), ())
        times = moments if path == HANDLERS[0] else ()
        return Ran(0, "".join(f"2026-11-22T16:00:{moment:06.3f}Z INFO handler.wakeup x\n" for moment in times), "")

    def api(self, command: str, upload: Any = None, /, **words: str) -> Any:
        number = len(self.orders)
        match command:
            case "system.wakeupAgent":
                self.orders.append(words)
                return "completed: 1"
            case "tasklog.listTaskHistory":
                return [{"id": each} for each in range(number, 0, -1)]
            case "tasklog.listSubtasks":
                state = {4: "Failed", 5: "Ended"}.get(number, "Completed")
                return [{"computerName": NODE.fqdn, "state": state}]
            case "tasklog.listMessages":
                name = {1: NODE.fqdn, 2: NODE.name, 3: str(NODE.ipv4)}.get(number, NODE.fqdn)
                text = f"hq/epo woke hq-pc at {name}:8081 (wake-up {number:036X})"
                return [{"subtask": NODE.fqdn, "message": text}]
            case "miniepo.now":
                return 100.0
            case "miniepo.listCallins":
                return [{"fqdn": NODE.fqdn, "reason": "wakeup", "wakeup_id": f"{number:036X}"}]
        raise AssertionError(command)


def test_all_trials_are_made_and_everything_is_put_back(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    trials = make(lab, NODE.path)
    assert wrong_names(NODE, 8081, trials.named) == wrong_attempts(NODE.path, trials.given_up) == []
    assert wrong_opening(NODE.path, trials.opened, trials.callins) == []
    assert [row for row in wrong_abort(NODE.path, trials.aborted) if "Ended" not in row[1]] == []
    assert [order.get("attempts") for order in lab.orders] == [None, None, None, "3", "99", "20"]
    assert not lab.barred and {lab.hosts[path] for path in HANDLERS} == {GIVE_BACK}


def test_a_name_leads_nowhere_at_every_handler_and_the_next_one_to_the_node(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    with led_astray(lab, NODE, (NODE.fqdn,)):
        assert list(lab.hosts) == HANDLERS
        for text in lab.hosts.values():
            assert all(f"{address} {NODE.fqdn} # verdict" in text for address in NOWHERE)
            assert f"{NODE.ipv4} {NODE.name} # verdict" in text
    assert {*lab.hosts.values()} == {GIVE_BACK}


@pytest.mark.parametrize("address", NOWHERE)
def test_nobody_can_be_reached_nowhere_whoever_listens(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server(("", 0)) as server, socket.socket(family, socket.SOCK_STREAM) as caller:
        caller.settimeout(5.0)
        with pytest.raises(OSError, match="unreachable"):
            caller.connect((address, server.getsockname()[1]))


def test_a_closed_port_refuses_in_both_families_and_is_opened_again(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    with closed(lab, NODE):
        ((path, put),) = lab.ran
        assert path == NODE.path and "iptables -w -I INPUT -p tcp --dport 8081" in put and "ip6tables -w -I" in put
    assert lab.ran[-1][1].count(" -D INPUT -p tcp --dport 8081") == 2
