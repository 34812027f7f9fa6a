"""When an agent's connector looks for relays, and how long it goes on trying where nobody answers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from miniepo.agent.connector import connect_by_relay, connect_directly, connector_of
from miniepo.agent.enforcement import Enforcer
from miniepo.agent.relay_finder import RelayFinder
from miniepo.config import AgentConfig, load
from miniepo.errors import SilentError, UnreachableError, UntrustedError
from miniepo.protocol.connection_retry import Attempt, Outcome
from miniepo.protocol.discovery import Relay
from miniepo.protocol.messages import Policy, PolicySet
from miniepo.protocol.relay_session import Endpoint
from miniepo.wire.stream import Stream
from tests.unit.miniepo.standins import CountingEntropy, agent_config, state_directory


class NoTls:
    """TLS of an agent whose list has no handler."""

    def current(self) -> ssl.SSLContext:
        raise AssertionError("a connection was opened")


class Asked(RelayFinder):
    """Counts the discoveries; nobody answers."""

    def __init__(self) -> None:
        super().__init__("4.8.0", CountingEntropy())
        self.times = 0

    async def find(self) -> tuple[Relay, ...]:
        self.times += 1
        return ()


def test_whether_relays_are_looked_for_is_the_policys(tmp_path: Path) -> None:
    state, finder = state_directory(tmp_path), Asked()
    enforcer = Enforcer(agent_config(tmp_path), state, ())
    connector = connector_of(agent_config(tmp_path), state, NoTls(), finder, lambda: enforcer.settings)

    def asked_under(mode: str) -> int:
        policy = Policy(category="relay", name="p", settings={"discover": mode})
        state.policies, before = PolicySet(version=mode, policies=(policy,)), finder.times
        enforcer.enforce()
        with pytest.raises(UnreachableError):
            asyncio.run(connector.open(()))
        return finder.times - before

    assert [asked_under(mode) for mode in ("needed", "never", "always", "never")] == [1, 0, 1, 0]


@pytest.mark.parametrize(("patient", "waited_for"), [(True, 18), (False, 1)])
def test_who_is_patient_waits_for_a_silent_address_in_every_attempt(patient: bool, waited_for: int) -> None:
    waited: list[Endpoint] = []

    async def silence(endpoints: Sequence[Endpoint], seconds: float) -> Stream:
        waited.extend(endpoints)
        raise SilentError(f"no answer within {seconds:g} s")

    one_address = [(Endpoint("192.0.2.1", port),) for port in (443, 8443, 9443)]
    with pytest.raises(SilentError, match="18 attempts" if patient else "3 attempts"):
        asyncio.run(connect_directly(one_address, patient=patient, connect=silence))
    assert len(waited) == waited_for


def test_each_attempt_is_told_with_its_round_and_what_came_of_it() -> None:
    told: list[tuple[int, str, str]] = []

    async def refusal(endpoints: Sequence[Endpoint], seconds: float) -> Stream:
        raise UnreachableError("refused")

    def tell(attempt: Attempt[tuple[Endpoint, ...]], outcome: Outcome) -> None:
        told.append((attempt.round, attempt.method[0].host, outcome))

    ways = [(Endpoint(host, 443),) for host in ("192.0.2.1", "127.0.0.1", "127.0.0.2")]
    with pytest.raises(UnreachableError, match="18 attempts, then exhausted"):
        asyncio.run(connect_directly(ways, connect=refusal, tell=tell))
    one_round = [("192.0.2.1", "refused"), ("127.0.0.1", "refused"), ("127.0.0.2", "refused")]
    assert told == [(number, *each) for number in range(1, 7) for each in one_round]


class Net:
    """Connections to whatever address is asked for; `owners` says whose TLS answers there, "" none in time."""

    def __init__(self, owners: dict[str, str]) -> None:
        self._owners = owners
        self.asked: list[str] = []

    async def connect(self, endpoints: Sequence[Endpoint], seconds: float) -> Stream:
        self.asked.append(endpoints[0].host)
        return cast(Stream, SimpleNamespace(peer_address=endpoints[0].host))

    async def secure(self, stream: Stream) -> None:
        owner = self._owners[stream.peer_address]
        if not owner:
            raise SilentError("TLS: no answer")
        if owner != "epo":
            raise UntrustedError(f"certificate of {owner}")


def test_another_host_at_the_first_address_is_left_for_the_next_at_once() -> None:
    net = Net({"192.0.2.1": "stranger", "192.0.2.2": "epo"})
    told: list[tuple[str, str]] = []

    def tell(attempt: Attempt[tuple[Endpoint, ...]], outcome: Outcome) -> None:
        told.append((attempt.method[0].host, outcome))

    ways = [(Endpoint(host, 443),) for host in ("192.0.2.1", "192.0.2.2", "192.0.2.3")]
    stream = asyncio.run(connect_directly(ways, connect=net.connect, tell=tell, secure=net.secure))
    assert stream.peer_address == "192.0.2.2"
    assert told == [("192.0.2.1", "untrusted"), ("192.0.2.2", "no-error")]


@pytest.mark.parametrize(("owner", "error"), [("stranger", UntrustedError), ("", SilentError)])
def test_nobody_who_is_the_handler_is_told_as_what_was_met_first(owner: str, error: type[UnreachableError]) -> None:
    net = Net({"192.0.2.1": owner})
    one_address = [(Endpoint("192.0.2.1", port),) for port in (443, 8443)]
    with pytest.raises(error, match="2 attempts, then exhausted"):
        asyncio.run(connect_directly(one_address, connect=net.connect, secure=net.secure))
    assert len(net.asked) == (2 if owner else 1), "an address whose TLS is silent is not waited for by another name"


RELAY = Relay("R", "relay-1", 8083, ("192.0.2.9",))


def by_relay(net: Net) -> Stream:
    """Through a relay, which is asked for the handler's address and then for its name."""

    async def through(relays: Sequence[Endpoint], target: Endpoint, seconds: float) -> Stream:
        return await net.connect([target], seconds)

    targets = (Endpoint("192.0.2.1", 443), Endpoint("epo.hq.test", 443))
    return asyncio.run(connect_by_relay(RELAY, targets, net.secure, through))


@pytest.mark.parametrize("first", ["stranger", ""])
def test_a_relay_is_asked_for_the_name_when_another_host_has_the_address(first: str) -> None:
    net = Net({"192.0.2.1": first, "epo.hq.test": "epo"})
    assert by_relay(net).peer_address == "epo.hq.test"
    with pytest.raises(UntrustedError, match="certificate of stranger"):
        by_relay(Net({"192.0.2.1": first, "epo.hq.test": "stranger"}))


@pytest.mark.parametrize("patient", [True, False])
def test_an_agent_is_told_in_its_file_to_retry_what_timed_out(tmp_path: Path, patient: bool) -> None:
    state = state_directory(tmp_path)
    text = msgspec.json.encode(msgspec.structs.replace(agent_config(tmp_path), retry_timeouts=patient))
    (tmp_path / "agent.json").write_bytes(text)
    config = load(tmp_path / "agent.json", AgentConfig)
    enforcer = Enforcer(config, state, ())
    assert connector_of(config, state, NoTls(), Asked(), lambda: enforcer.settings).patient is patient
