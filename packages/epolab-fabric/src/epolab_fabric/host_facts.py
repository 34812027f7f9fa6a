"""What this host offers for shaping, found by trying in this process's own (scratch) namespace; printed as JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from epolab_fabric.devices import TUN_DEVICE, attach_tap
from epolab_fabric.errors import DeviceFault
from epolab_fabric.namespaces import require_own_namespace
from epolab_fabric.netlink import IPRoute, NetlinkError

LOOPBACK = 1


def has_tun() -> bool:
    """Whether a TAP can be made; it is gone with its descriptor."""
    try:
        os.close(attach_tap("probe0"))
    except DeviceFault:
        return False
    return True


def has_netem() -> bool:
    """Whether the kernel takes a netem queueing discipline; it is gone with the namespace."""
    with IPRoute() as netlink:
        try:
            netlink.tc("add", "netem", LOOPBACK, "1:", delay=1000)
        except NetlinkError:
            return False
        netlink.tc("del", "netem", LOOPBACK, "1:")
    return True


def main() -> None:
    """Print what was found."""
    require_own_namespace()
    facts = {"tun": Path(TUN_DEVICE).exists() and has_tun(), "netem": has_netem()}
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
