import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from epolab.errors import ContainerError
from epolab.hands.link_facts import probe_link_facts, read_link_facts
from epolab.hands.run import Completed
from epolab.wan.driver import HostFacts

ENGINE = {"ID": "AB:CD", "KernelVersion": "6.1.0-1"}


class BookHost:
    """Answers as a host with or without a TUN device and netem would."""

    def __init__(self, *, tun: bool = True, netem: bool = False, broken: bool = False) -> None:
        self._tun, self._netem, self._broken = tun, netem, broken
        self.calls: list[Sequence[str]] = []

    def __call__(self, argv: Sequence[str]) -> Completed:
        self.calls.append(argv)
        if self._broken:
            return Completed(125, b"", b"no such image")
        if "--device" in argv and not self._tun:
            return Completed(125, b"", b'error gathering device information: "/dev/net/tun": no such file')
        return Completed(0, json.dumps({"tun": self._tun, "netem": self._netem}).encode(), b"")


def test_the_host_is_tried_once_and_remembered(tmp_path: Path) -> None:
    host = BookHost(netem=True)
    for _ in range(2):
        assert read_link_facts(ENGINE, "fabric:1", home=tmp_path, execute=host) == HostFacts(tun=True, netem=True)
    assert len(host.calls) == 1
    read_link_facts(ENGINE, "fabric:1", home=tmp_path, execute=host, fresh=True)
    read_link_facts(ENGINE | {"KernelVersion": "6.9"}, "fabric:1", home=tmp_path, execute=host)
    assert len(host.calls) == 3


def test_a_missing_device_is_looked_for_again(tmp_path: Path) -> None:
    assert not read_link_facts(ENGINE, "fabric:1", home=tmp_path, execute=BookHost(tun=False)).tun
    assert read_link_facts(ENGINE, "fabric:1", home=tmp_path, execute=BookHost()).tun


def test_without_the_device_the_rest_is_tried_all_the_same() -> None:
    host = BookHost(tun=False, netem=True)
    assert probe_link_facts("fabric:1", host) == HostFacts(tun=False, netem=True)
    assert ["--device" in argv for argv in host.calls] == [True, False]


def test_the_container_removes_itself_and_has_no_network() -> None:
    host = BookHost()
    probe_link_facts("fabric:1", host)
    assert {"--rm", "none", "NET_ADMIN"} <= set(host.calls[0])
    assert "--pid host" in " ".join(host.calls[0])
    assert "--privileged" not in host.calls[0]


def test_a_probe_that_fails_says_why() -> None:
    with pytest.raises(ContainerError) as caught:
        probe_link_facts("fabric:1", BookHost(broken=True))
    assert caught.value.evidence == ["no such image"]
