"""What keeps a wake-up or a push from arriving is seen: where it is, and in what the Server Task Log says of it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from epolab.model import facts
from epolab.verify.segment_plan import listeners, segment, unreachable
from epolab.verify.wake_trials_plan import tried
from tests.acceptance.broken_promises import firewall_kept, is_down, on, patched, restart, undone
from tests.acceptance.verdicts import Examined, assert_told, nodes_of, told

pytestmark = [pytest.mark.acceptance, pytest.mark.beside]
TOOLS = ("iptables", "ip6tables")
HANDLER, HANDLER_PORT, AGENT_PORT = "miniepo-handler", 443, 8081
SERVER, SERVER_PORT = "miniepo-server", 8443
OTHER_ORDER = (
    "handler/delivery.py",
    "(system.fqdn, system.computer_name, system.address)",
    "(system.address, system.computer_name, system.fqdn)",
)
ONE_ATTEMPT = ("handler/delivery.py", "if self._patience.attempt < self._patience.attempts:", "if False:")
AT_ONCE = ("agent/wakeup.py", "if call.random_seconds > 0 else", "if False else")
ANYBODY = ("agent/front_door.py", "if self._enforcer.settings.only_server_connections:", "if False:")
FORGED = (
    ("agent/wakeup.py", "    signing.verify(envelope, key, now=now)\n    if envelope", "    if envelope"),
    ("agent/wakeup.py", "nonces.use(envelope.nonce, now)", "nonces.note(envelope.nonce, now)"),
)
ANY_NAME = ("server/push_plan.py", "return _NETBIOS.fullmatch(name) is not None", "return True")
CONTENT = ("handler/wakeup.py", "codec.encode(message), key", "b'{\"policies\":[],' + codec.encode(message)[1:], key")


@contextmanager
def handlers_patched(lab: Examined, *changes: tuple[str, str, str]) -> Iterator[None]:
    """All handlers run other code."""
    with ExitStack() as stack:
        for handler in facts.handlers(lab.topology):
            stack.enter_context(patched(lab.lab, handler.path, HANDLER, HANDLER_PORT, changes))
        yield


def test_handlers_with_another_order_and_one_attempt_and_a_swarm_at_once_are_seen(conversations: Examined) -> None:
    lab, swarm = conversations, facts.swarms(conversations.topology)[0].path
    (agent,), far = tried(lab.topology), {node.path for node in unreachable(lab.topology)}
    (bare,), server = facts.pushables(lab.topology), facts.server(lab.topology).path
    with ExitStack() as stack:
        stack.callback(restart, lab.lab, server, SERVER, SERVER_PORT)
        stack.enter_context(handlers_patched(lab, OTHER_ORDER, ONE_ATTEMPT, ANY_NAME))
        restart(lab.lab, server, SERVER, SERVER_PORT)
        stack.enter_context(patched(lab.lab, swarm, "miniepo-swarm", AGENT_PORT, [AT_ONCE]))
        rows = lab.failures("wake-up", kept=["isolation"])
    assert nodes_of(rows) == {agent, swarm, bare.path, *far}, told(rows)
    name = agent.partition("/")[2]
    assert_told(rows, agent, f"is woken at {name}", f"woke {name} at ")
    assert_told(rows, agent, "is tried 3 times, 1.5 s apart", "1 attempts")
    assert_told(rows, agent, "is given up as Ended after 4 s", "Failed after")
    assert_told(rows, agent, "is woken by a later attempt", "Failed after 1 attempts")
    for path in far:
        assert_told(rows, path, "is looked for by FQDN, NetBIOS name, IP", "tried in another order")
    assert_told(rows, bare.path, "is no NetBIOS name", "no system of the System Tree has")
    assert_told(rows, swarm, "its agents call in at moments of their own", "20 call-ins came within")


def test_an_agent_that_answers_anybody_and_wakeups_with_content_are_seen(conversations: Examined) -> None:
    lab, open_to_all = conversations, tried(conversations.topology)[0]
    wakeable = {node.path for node in facts.agents(lab.topology) if facts.wakers(lab.topology, node)}
    fooled = next(path for path in sorted(wakeable) if path != open_to_all)
    with (
        handlers_patched(lab, CONTENT),
        patched(lab.lab, open_to_all, "cmdagent", AGENT_PORT, [ANYBODY]),
        patched(lab.lab, fooled, "cmdagent", AGENT_PORT, FORGED),
    ):
        rows = lab.failures("port-8081", kept=["isolation"])
        assert nodes_of(rows) == wakeable, told(rows)
        assert_told(rows, open_to_all, "accepts connections only from the ePO server", "HTTP/1.1 200")
        for path in wakeable:
            assert_told(rows, path, "its wake-up carries no content", "it carries policies")
        for what in ("replayed", "wrongly signed"):
            assert_told(rows, fooled, f"a {what} wake-up is refused with 403", "HTTP/1.1 202")
        assert {row["node"] for row in rows if "is refused with 403" in row["expected"]} == {fooled}, told(rows)
        answering = {row["node"] for row in rows if "accepts connections only" in row["expected"]}
        assert answering == {open_to_all}, told(rows)
    assert {row["outcome"] for row in lab.assert_positive("-k", "port-8081")} == {"passed"}


def test_an_agent_whose_broadcast_port_is_closed_is_seen(conversations: Examined) -> None:
    lab, superagent = conversations, facts.superagents(conversations.topology)[0]
    deaf = listeners(lab.topology, superagent)[0]
    with ExitStack() as stack:
        for tool in TOOLS:
            stack.enter_context(firewall_kept(lab.lab, deaf.path, tool))
            on(lab.lab, deaf.path, f"{tool} -I INPUT 1 -p udp --dport 8082 -j DROP")
        rows = lab.failures("wake-up", kept=["isolation"])
        assert nodes_of(rows) == {deaf.path, superagent.path}, told(rows)
        assert_told(rows, deaf.path, f"calls in once after the broadcast on {segment(deaf)}", "it did 0 times")
        assert_told(rows, deaf.path, "the wake-up is logged as Completed", "did not call in after the broadcast")
        hears = [row for row in rows if row["node"] == superagent.path]
        assert {row["expected"] for row in hears} == {
            f"{deaf.path}: hears the broadcast of {superagent.path}",
            f"{superagent.path}: its broadcast carries no content",
        }


def test_a_superagent_that_says_nothing_is_seen_by_who_should_hear_it(conversations: Examined) -> None:
    lab, superagent = conversations, facts.superagents(conversations.topology)[0]
    expected = {node.path for node in listeners(lab.topology, superagent)}
    with ExitStack() as stack:
        for tool in TOOLS:
            undo = f"{tool} -D OUTPUT -p udp --dport 8082 -j DROP 2>/dev/null; true"
            stack.enter_context(undone(lab.lab, superagent.path, undo))
            on(lab.lab, superagent.path, f"{tool} -I OUTPUT 1 -p udp --dport 8082 -j DROP")
        rows = lab.failures("wake-up", kept=["isolation"])
        broken = [row for row in rows if "calls in once after the broadcast" in row["expected"]]
        assert nodes_of(broken) == expected, told(rows)
        assert nodes_of(rows) == expected | {superagent.path}, told(rows)


def test_a_host_without_an_administrators_door_is_seen(conversations: Examined) -> None:
    lab, node = conversations, facts.pushables(conversations.topology)[0]
    with undone(lab.lab, node.path, "sv start push-sshd"):
        on(lab.lab, node.path, "sv stop push-sshd")
        assert is_down(lab.lab, node.path, "push-sshd")
        rows = lab.failures("wake-up", kept=["isolation"])
        assert nodes_of(rows) == {node.path}, told(rows)
        assert_told(rows, node.path, "the push is logged as Completed", f"could not install an agent on {node.name}")
        assert_told(rows, node.path, "refuses the login", "Connection refused")


def test_with_all_of_it_mended_wake_ups_and_pushes_arrive_again(conversations: Examined) -> None:
    assert {row["outcome"] for row in conversations.assert_positive("-k", "wake-up")} == {"passed"}
