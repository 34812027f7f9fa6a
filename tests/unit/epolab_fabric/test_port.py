"""Whether a port is for a declared end still."""

from random import Random

import pytest

from epolab_fabric.cable import Line
from epolab_fabric.port import Port

END = {"pid": 10, "inode": 4026532000, "interface": "wan-hq"}


def test_a_port_is_for_its_own_end() -> None:
    assert Port(10, 4026532000, "wan-hq", Line(Random(1))).is_for(END)


@pytest.mark.parametrize("change", [{"pid": 11}, {"inode": 4026532001}, {"interface": "wan-dmz"}])
def test_another_process_namespace_or_interface_is_another_end(change: dict[str, object]) -> None:
    """A new router may get the inode number of the one that died: its process tells them apart."""
    assert not Port(10, 4026532000, "wan-hq", Line(Random(1))).is_for({**END, **change})
