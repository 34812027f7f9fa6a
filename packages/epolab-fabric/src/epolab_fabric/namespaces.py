"""Which network namespace a process has, and how to open sockets inside it without leaving our own."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from epolab_fabric.errors import NamespaceFault

CLONE_NEWNET = 0x40000000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Namespace:
    """An open network namespace: `inode` names it for as long as it lives."""

    fd: int
    inode: int

    def run(self, act: Callable[[], T]) -> T:
        """What `act` returns when this thread is inside the namespace; the thread always comes back."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            enter(self.fd)
            try:
                return act()
            finally:
                enter(home)
        finally:
            os.close(home)


def enter(fd: int) -> None:
    """Move this thread into the network namespace behind a descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise NamespaceFault(f"setns: {os.strerror(code)}")


def unshare_network() -> None:
    """Give this process a fresh network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise NamespaceFault(f"unshare: {os.strerror(ctypes.get_errno())}")


def inode_of(pid: int | str) -> int | None:
    """The inode of a process's network namespace; None where the process is gone or may not be looked at."""
    try:
        return Path(f"/proc/{pid}/ns/net").stat().st_ino
    except OSError:
        return None


@contextmanager
def namespace_of(pid: int) -> Iterator[Namespace]:
    """The network namespace of a process; refuses the fabric's own and the host's (a reused pid must not wire them)."""
    try:
        fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise NamespaceFault(f"process {pid} has no network namespace: {error.strerror}") from error
    try:
        inode = os.fstat(fd).st_ino
        if inode in (inode_of("self"), inode_of(1)):
            raise NamespaceFault(f"process {pid} is no node: it is in the fabric's or the host's network namespace")
        yield Namespace(fd, inode)
    finally:
        os.close(fd)


def require_own_namespace() -> None:
    """Refuse to go on in the host's network namespace: nothing of a lab may lie there."""
    if inode_of("self") == inode_of(1):
        raise NamespaceFault("the fabric must not run in the host's network namespace")
