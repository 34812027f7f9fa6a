"""A connection to a node carries commands at once, ends with the program that leads there, and is made again."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import paramiko
import pytest
from paramiko.ssh_exception import SSHException

from epolab.errors import ToolMissingError
from epolab.hands.node_line import NodeLine, opened_pipe

KEY = paramiko.ECDSAKey.generate()


class Node(paramiko.ServerInterface):
    """An sshd in this process: `say X` prints X, `together` ends when two of its kind run, `wait` never ends.

    While it is frozen it answers nobody; `freeze` freezes it, and gets nowhere.
    """

    def __init__(self) -> None:
        self.both = threading.Barrier(2)
        self.begun = threading.Event()
        self.awake = threading.Event()
        self.awake.set()
        self.sockets: list[socket.socket] = []

    def connect(self) -> paramiko.SSHClient:
        ours, theirs = socket.socketpair()
        self.sockets.append(theirs)
        transport = paramiko.Transport(theirs)
        transport.add_server_key(KEY)
        transport.start_server(server=self, event=threading.Event())
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect("node", username="root", password="x", sock=ours, allow_agent=False, look_for_keys=False)
        return client

    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.common.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self.awake.wait(10)
        return paramiko.common.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        if command == b"freeze":
            self.begun.set()
            self.awake.clear()
            self.awake.wait(10)
            return False
        threading.Thread(target=self._obey, args=(channel, command.decode()), daemon=True).start()
        return True

    def _obey(self, channel: paramiko.Channel, command: str) -> None:
        self.begun.set()
        if command == "wait":
            return
        if command == "together":
            self.both.wait(10)
        channel.sendall(command.removeprefix("say ").encode())
        channel.send_exit_status(3)
        channel.shutdown_write()


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def line(node: Node) -> Iterator[NodeLine]:
    with closing(NodeLine(node.connect)) as line:
        yield line


def test_a_command_gives_its_exit_code_and_its_output(line: NodeLine) -> None:
    assert line.run(b"say hello") == (3, b"hello", b"")


def test_commands_do_not_wait_for_each_other_on_one_connection(node: Node, line: NodeLine) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(line.run, (b"together", b"together")))
    assert answers == [(3, b"together", b"")] * 2 and len(node.sockets) == 1


def test_a_command_fails_when_its_connection_is_lost_and_the_next_one_has_another(node: Node, line: NodeLine) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(line.run, b"wait")
        assert node.begun.wait(10)
        node.sockets[0].shutdown(socket.SHUT_RDWR)
        with pytest.raises((SSHException, EOFError)):
            waiting.result(10)
    assert line.run(b"say again") == (3, b"again", b"") and len(node.sockets) == 2


def test_a_connection_that_was_lost_meanwhile_is_made_again(node: Node, line: NodeLine) -> None:
    assert line.run(b"say one") == (3, b"one", b"")
    node.sockets[0].shutdown(socket.SHUT_RDWR)
    assert line.run(b"say two") == (3, b"two", b"") and len(node.sockets) == 2


def test_a_long_silent_command_is_waited_for_while_its_node_answers(node: Node) -> None:
    with closing(NodeLine(node.connect, answer_seconds=0.2)) as line, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(line.run, b"together")
        with pytest.raises(TimeoutError):
            waiting.result(1)
        node.both.wait(10)
        assert waiting.result(10) == (3, b"together", b"") and len(node.sockets) == 1


def test_a_command_ends_when_its_node_answers_no_longer_and_the_next_one_has_another_connection(node: Node) -> None:
    with closing(NodeLine(node.connect, answer_seconds=0.2)) as line, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(line.run, b"wait")
        assert node.begun.wait(10)
        node.awake.clear()
        with pytest.raises(SSHException, match="Timeout opening channel"):
            waiting.result(10)
        node.awake.set()
        assert line.run(b"say again") == (3, b"again", b"") and len(node.sockets) == 2


def test_a_node_that_freezes_before_it_begins_a_command_is_not_waited_for(node: Node) -> None:
    with closing(NodeLine(node.connect, answer_seconds=0.2)) as line, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(line.run, b"freeze")
        assert node.begun.wait(10)
        with pytest.raises((SSHException, EOFError)):
            waiting.result(5)  # long before the node refuses it
        node.awake.set()
        assert line.run(b"say again") == (3, b"again", b"") and len(node.sockets) == 2


def test_a_pipe_leads_to_a_program_that_signals_of_this_terminal_do_not_reach() -> None:
    with opened_pipe(["sh", "-c", "echo $$; cat"]) as pipe:
        program = int(pipe.recv(100))
        assert os.getpgid(program) == program != os.getpgrp()
        pipe.sendall(b"there and back")
        assert pipe.recv(100) == b"there and back"


def test_the_programs_end_is_the_pipes_end() -> None:
    with opened_pipe(["sh", "-c", "echo $$; exec cat"]) as pipe:
        os.kill(int(pipe.recv(100)), signal.SIGKILL)
        pipe.settimeout(10)
        assert pipe.recv(100) == b""


def test_a_program_that_is_not_there_is_told() -> None:
    with pytest.raises(ToolMissingError, match="no-such-program"):
        opened_pipe(["no-such-program"])
