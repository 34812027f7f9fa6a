"""Kernel settings of a node's namespace, read back before and after they are written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from epolab_fabric.errors import SysctlFault
from epolab_fabric.namespaces import Namespace

ROOT = Path("/proc/sys")


def apply_sysctls(namespace: Namespace, values: Mapping[str, str]) -> None:
    """Every setting has its value in the namespace (`/proc/sys/net` shows that of the reading thread)."""
    if values:
        namespace.run(lambda: _apply(values))


def _apply(values: Mapping[str, str]) -> None:
    for name, value in values.items():
        path = ROOT / name.replace(".", "/")
        try:
            if path.read_text().split() != value.split():
                path.write_text(value)
        except OSError as error:
            raise SysctlFault(f"{name}={value}: {error.strerror}; declare it when the container is made") from error
