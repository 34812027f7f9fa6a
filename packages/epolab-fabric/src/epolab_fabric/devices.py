"""TAP devices and offloads: the ioctls that have no netlink message. Called inside the owning namespace."""

from __future__ import annotations

import array
import errno
import fcntl
import os
import socket
import struct

from epolab_fabric.errors import DeviceFault

TUN_DEVICE = "/dev/net/tun"
TUNSETIFF = 0x400454CA
TUNSETPERSIST = 0x400454CB
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
SIOCETHTOOL = 0x8946
# ETHTOOL_S{TSO,GSO,GRO} of linux/ethtool.h
OFFLOAD_COMMANDS = (0x1F, 0x24, 0x2C)


def attach_tap(name: str) -> int:
    """A non-blocking descriptor of the TAP `name` in this thread's namespace; it is made where it is missing."""
    try:
        fd = os.open(TUN_DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise DeviceFault(f"{TUN_DEVICE}: {error.strerror}") from error
    try:
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    except OSError as error:
        os.close(fd)
        raise DeviceFault(f"TAP {name}: {error.strerror}") from error
    return fd


def make_tap(name: str) -> None:
    """Make the TAP `name` outlive its descriptors; one that another process holds is there already."""
    try:
        fd = attach_tap(name)
    except DeviceFault as fault:
        if isinstance(fault.__cause__, OSError) and fault.__cause__.errno == errno.EBUSY:
            return
        raise
    fcntl.ioctl(fd, TUNSETPERSIST, 1)
    os.close(fd)


def disable_offloads(name: str) -> None:
    """Turn TSO, GSO and GRO off: super-packets would leave a shaped interface at once, and counters would lie."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as control:
        for command in OFFLOAD_COMMANDS:
            value = array.array("B", struct.pack("II", command, 0))
            address, _ = value.buffer_info()
            fcntl.ioctl(control, SIOCETHTOOL, struct.pack("16sP16x", name.encode(), address))
