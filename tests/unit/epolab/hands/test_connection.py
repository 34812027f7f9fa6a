"""Whatever a connection fails of is one kind of error of ours."""

import importlib
import warnings

import pytest
from paramiko.ssh_exception import SSHException

from epolab.errors import ConnectionFailedError, WorldError
from epolab.hands import connection
from epolab.hands.connection import connected_to


@pytest.mark.parametrize("error", [SSHException("No existing session"), EOFError(), BrokenPipeError("pipe")])
def test_what_ssh_and_sockets_raise_is_a_failed_connection_to_that_node(error: Exception) -> None:
    with pytest.raises(ConnectionFailedError, match="hq/pc") as caught, connected_to("hq/pc"):
        raise error
    assert (str(error) or type(error).__name__) in caught.value.message


def test_our_own_errors_stay_what_they_are() -> None:
    with pytest.raises(WorldError, match="refused") as caught, connected_to("hq/pc"):
        raise WorldError("refused")
    assert not isinstance(caught.value, ConnectionFailedError)


def test_people_read_nothing_of_keys_that_nobody_can_mistake() -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        importlib.reload(connection)
        warnings.warn("Unknown ssh-ed25519 host key for lab.hq.epo: b'60'", UserWarning, stacklevel=1)
        warnings.warn("something else", UserWarning, stacklevel=1)
    assert [str(each.message) for each in heard] == ["something else"]
