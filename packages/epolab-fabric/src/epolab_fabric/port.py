"""One end of a carried link: a router's TAP, held for as long as the router's process lives."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from epolab_fabric.cable import Line
from epolab_fabric.devices import attach_tap
from epolab_fabric.errors import DeviceFault, FabricFault, NamespaceFault
from epolab_fabric.namespaces import namespace_of

# select() takes descriptors below 1024; a few are kept for control connections.
DESCRIPTOR_LIMIT = 1000


@dataclass(eq=False, slots=True)
class Port:
    """A TAP and the line that leads away from it; `tap` is None while the router is gone."""

    pid: int
    inode: int
    interface: str
    line: Line = field(repr=False)
    tap: int | None = None
    life: int | None = None
    error: str | None = None

    @property
    def attached(self) -> bool:
        """Whether frames can come and go here."""
        return self.tap is not None

    def is_for(self, end: Mapping[str, Any]) -> bool:
        """Whether this is the declared end still.

        The process counts too: the kernel gives the inode number of a freed namespace to the next one.
        """
        return (self.pid, self.inode, self.interface) == (end["pid"], end["inode"], end["interface"])

    def attach(self) -> None:
        """Hold the TAP; what stands in the way is noted in `error`.

        An open TAP keeps the router's namespace alive, so the router's process is held by a pidfd beside it: its
        end must be seen, or a dead router would go on forwarding.
        """
        self.error = None
        try:
            self.life = os.pidfd_open(self.pid)
            with namespace_of(self.pid) as namespace:
                if namespace.inode != self.inode:
                    raise NamespaceFault(f"process {self.pid} has another network namespace than declared")
                self.tap = namespace.run(lambda: attach_tap(self.interface))
            if self.tap >= DESCRIPTOR_LIMIT:
                raise DeviceFault("one fabric carries at most 490 shaped links")
        except (FabricFault, OSError) as error:
            self.detach()
            self.error = str(error)

    def detach(self) -> None:
        """Let go of the TAP and of the router's process."""
        for descriptor in (self.tap, self.life):
            if descriptor is not None:
                os.close(descriptor)
        self.tap = self.life = None
