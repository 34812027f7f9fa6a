"""The small JSON files that a lab keeps in its fabric: phase, lease, certificate, the links' declaration."""

from __future__ import annotations

import fcntl
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from epolab_fabric.errors import RequestInvalidFault

DEFAULT_ROOT = Path("/run/epolab")


class Documents:
    """Whole documents by name below one folder: a reader sees the old one or the new one, never half of one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def read(self, name: str) -> Any:
        """The document's value; None where there is none."""
        try:
            return json.loads(self._path(name).read_text())
        except FileNotFoundError:
            return None

    def write(self, name: str, value: Any) -> None:
        """Replace a document; null removes it."""
        path = self._path(name)
        if value is None:
            path.unlink(missing_ok=True)
            return
        text = json.dumps(value)
        handle, scratch = tempfile.mkstemp(dir=self.root, prefix=".new-")
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(scratch).replace(path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder against other workers (one runs per open stream)."""
        with (self.root / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _path(self, name: str) -> Path:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,60}", name):
            raise RequestInvalidFault(f"{name!r} is no document name")
        return self.root / f"{name}.json"
