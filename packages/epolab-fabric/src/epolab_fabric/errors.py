"""Every way the fabric can refuse or fail, as one tree.

FabricFault
├── RequestInvalidFault       the request breaks the worker's protocol
├── NamespaceFault            a process has no network namespace of its own that may be wired
├── SysctlFault               a kernel setting could not be made from inside the fabric
├── CableFault                the process that carries the shaped links does not answer, or refused
└── DeviceFault               a TAP device could not be made or attached
"""

from __future__ import annotations


class FabricFault(Exception):
    """The fabric could not do what it was asked."""


class RequestInvalidFault(FabricFault):
    """The request breaks the worker's protocol."""


class NamespaceFault(FabricFault):
    """The process has no network namespace of its own that may be wired."""


class SysctlFault(FabricFault):
    """A kernel setting could not be made from inside the fabric."""


class CableFault(FabricFault):
    """The process that carries the shaped links does not answer, or refused."""


class DeviceFault(FabricFault):
    """A TAP device could not be made or attached."""
