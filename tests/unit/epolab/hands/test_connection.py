"""Whatever a connection fails of is one kind of error of ours."""

import pytest
from paramiko.ssh_exception import SSHException

from epolab.errors import ConnectionFailedError, WorldError
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
