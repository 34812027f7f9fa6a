"""What this host has left to give."""

from pathlib import Path

from epolab.hands.capacity import free_memory_mib, has_tun


def test_free_memory_is_some_of_all():
    total = int(Path("/proc/meminfo").read_text().split()[1]) // 1024
    assert 0 < free_memory_mib() < total


def test_tun_is_a_device():
    assert has_tun() == Path("/dev/net/tun").is_char_device()
