"""What a broken ssh connection to a node is called in this project."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from paramiko.ssh_exception import SSHException

from epolab.errors import ConnectionFailedError

# The way to a node is a command in its own container: there is no other machine that could answer in its place.
warnings.filterwarnings("ignore", message=r"Unknown \S+ host key for ", category=UserWarning)


@contextmanager
def connected_to(path: str) -> Iterator[None]:
    """Turn whatever goes wrong with the connection to a node within the block into ConnectionFailedError."""
    try:
        yield
    except (SSHException, EOFError, OSError) as error:
        told = str(error) or type(error).__name__
        raise ConnectionFailedError(
            f"{path}: no ssh connection: {told}", hint="epolab status shows which nodes run"
        ) from error
