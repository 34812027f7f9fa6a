"""What the end of an installer means."""

import pytest

from miniepo.handler.delivery import Accepted, Event, Refused
from miniepo.handler.push import UNPACK, command_for, judged
from miniepo.wire.secure_shell import Ran
from tests.unit.miniepo.systems import system


@pytest.mark.parametrize(
    ("ran", "expected"),
    [
        (Ran(0, ""), Accepted()),
        (Ran(255, "Permission denied", login_refused=True), Refused("pc-1 refuses the login of admin")),
        (Ran(3, ""), Refused("pc-1 has an agent already")),
        (Ran(4, "nothing to run it"), Refused("pc-1: the installer ended with 4: nothing to run it")),
        (
            Ran(6, ""),
            Refused(
                "pc-1 was made anew, and its system still belongs to the agent that was there: delete the system "
                "(system.delete) and import it again, or ask for a new GUID (miniepo.regenerateGuid)"
            ),
        ),
    ],
)
def test_what_is_told(ran: Ran, expected: Event) -> None:
    assert judged("pc-1", "admin", ran) == expected


@pytest.mark.parametrize(
    ("key", "released", "words"),
    [(None, False, ""), ("a key", True, ""), ("a key", False, " --only-with-its-key")],
)
def test_a_system_that_a_key_holds_is_its_agents(key: str | None, released: bool, words: str) -> None:
    held = system(public_key=key, regenerate_guid=released)
    assert command_for(held, skip_if_installed=True) == f"{UNPACK} --skip-if-installed{words}"
    assert command_for(held, skip_if_installed=False) == f"{UNPACK}{words}"
