"""A lab's certificates are rotated, its authority too, and no agent is lost."""

import pytest

from epolab.model import facts
from tests.acceptance.broken_promises import on
from tests.acceptance.lab import succeed, until
from tests.acceptance.verdicts import Examined

pytestmark = pytest.mark.acceptance
HANDLER = "dmz/ah-2"
PATIENCE_SECONDS = 120.0


def shown_by(lab: Examined, node: str) -> str:
    """The fingerprint of what a handler shows."""
    own = "-cert /etc/miniepo/tls/node.pem -key /etc/miniepo/tls/node.key"
    client = f"openssl s_client -connect 127.0.0.1:443 {own} </dev/null 2>/dev/null"
    return on(lab.lab, node, f"{client} | openssl x509 -noout -fingerprint")


def test_a_new_authority_and_new_certificates_lose_no_agent(conversations: Examined) -> None:
    """As docs/handlers.md tells: both CAs trusted, then new certificates, then the new CA alone; nothing restarts."""
    lab = conversations
    secrets = lab.home / "labs" / lab.lab / "secrets"
    before, started = shown_by(lab, HANDLER), processes(lab)
    began = float(lab.api("miniepo.now"))
    (secrets / "ca.pem").rename(secrets / "ca.old.pem")
    (secrets / "ca.key").unlink()
    succeed(lab.home, "deploy", lab.lab)
    assert shown_by(lab, HANDLER) == before, "the old certificate is still trusted, and stays"
    for path in [*(secrets / "nodes").iterdir(), *(secrets / "agents").iterdir()]:
        path.unlink()
    succeed(lab.home, "deploy", lab.lab)
    assert until(lambda: shown_by(lab, HANDLER) != before, PATIENCE_SECONDS)
    (secrets / "ca.old.pem").unlink()
    succeed(lab.home, "deploy", lab.lab)
    assert processes(lab) == started, "no handler and no agent was restarted"
    for node in facts.agents(lab.topology):
        times = [row["received"] for row in lab.api("miniepo.listCallins", name=node.fqdn, since=str(began))]
        gaps = [late - early for early, late in zip([began, *times], times, strict=False)]
        assert times and max(gaps) < 6 * node.asci_seconds, f"{node.path} was away: {gaps}"
    lab.assert_positive("-k", "handlers")


def processes(lab: Examined) -> dict[str, str]:
    """The process numbers of all handlers and agents."""
    watched = [(node, "miniepo-handler") for node in facts.handlers(lab.topology)]
    watched += [(node, "cmdagent") for node in facts.agents(lab.topology)]
    return {f"{n.path} {s}": on(lab.lab, n.path, f"cat /etc/service/{s}/supervise/pid") for n, s in watched}
