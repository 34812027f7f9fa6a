"""What this host has left to give."""

import os
from pathlib import Path

from epolab.hands.capacity import free_disk_mib, free_memory_mib, has_tun


def test_free_memory_is_some_of_all():
    total = int(Path("/proc/meminfo").read_text().split()[1]) // 1024
    assert 0 < free_memory_mib() < total


def test_tun_is_a_device():
    assert has_tun() == Path("/dev/net/tun").is_char_device()


def test_free_disk_is_that_of_the_place():
    seen = os.statvfs("/dev/shm")
    assert abs(free_disk_mib(Path("/dev/shm")) - seen.f_bavail * seen.f_frsize // 1024**2) <= 64
