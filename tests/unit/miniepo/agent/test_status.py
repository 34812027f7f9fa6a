"""status.json."""

from pathlib import Path

from miniepo.agent.attempts import Tried
from miniepo.agent.communication import CallIn
from miniepo.agent.enforcement import Enforcer
from miniepo.agent.status import describe
from miniepo.agent.update import Outcome
from miniepo.protocol.relay_session import Endpoint
from tests.unit.miniepo.standins import ListedRole, agent_config, state_directory


def test_before_the_first_call_there_is_nothing_to_tell(tmp_path: Path) -> None:
    config, state = agent_config(tmp_path), state_directory(tmp_path)
    found = describe(config, state, Enforcer(config, state, []), None, None, 3)
    assert (found["guid"], found["enrolled"], found["last_callin"], found["last_handler"]) == (
        "GUID-1",
        False,
        None,
        None,
    )
    assert (found["spooled_events"], found["update_source"]) == (3, None)


def test_afterwards_it_says_when_and_how(tmp_path: Path) -> None:
    config, state = agent_config(tmp_path), state_directory(tmp_path)
    call_in = CallIn(0.0, "ePO_AH", "10.4.0.1", "relay-1", "wakeup", "w-1", ("PROPS VERSION", "REQUEST PROPS"))
    enforcer = Enforcer(config, state, [ListedRole()])
    enforcer.enforce()
    tried = [Tried("ePO_AH", 1, (Endpoint("10.4.0.1", 443),), "refused")]
    found = describe(config, state, enforcer, call_in, Outcome("ePOSA_SA", "relay-1", {}), 0, tried)
    assert [(row["kind"], row["places"]) for row in found["last_attempts"]] == [("IP", ["10.4.0.1:443"])]
    assert found["last_callin"] == "1970-01-01T00:00:00+00:00"
    assert found["last_handler"] == {"name": "ePO_AH", "address": "10.4.0.1", "via_relay": "relay-1"}
    assert found["last_session"] == ["PROPS VERSION", "REQUEST PROPS"]
    assert (found["enforcements"], found["enforcement_seconds"]) == (1, 5)
    assert (found["last_wakeup_id"], found["roles"]) == ("w-1", {"listed": True})
    assert (found["update_source"], found["update_via_relay"]) == ("ePOSA_SA", "relay-1")
