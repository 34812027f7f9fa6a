"""The DataChannel broken behind the lab's back, in each published way: exactly `datachannel` fails, `server.log` has
the two published lines, nothing else is concerned, and it recovers by itself when it is mended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from epolab.model import facts
from epolab.verify.ways import ways
from tests.acceptance.broken_promises import file_kept, inside, on
from tests.acceptance.verdicts import Examined, assert_told, nodes_of, told

pytestmark = pytest.mark.acceptance
HANDLER, SECOND, MASTER, AGENT = "dmz/ah-1", "dmz/ah-2", "hq/epo", "tokyo/tokyo-pc"
CERTIFICATE, KEY = "/etc/miniepo/tls/datachannel.pem", "/etc/miniepo/tls/datachannel.key"
REDIRECT = "/etc/miniepo/extensions/handler/DCRedirect"
LOG = "/var/log/miniepo/server.log"
KEPT = ["communication", "isolation"]
PUBLISHED = (
    re.compile(r"\d{14} E Srv \d+ McUpload Failed to send http request\.  Error=12029 \(12029\)"),
    re.compile(
        r"\d{14} E Srv \d+ NAIMSRV  ForwardDataChannelMessageToJava - Failed to send request, err=0x80004005, "
        r"HTTP status code=0"
    ),
)
PROCESS = "pgrep -f '[m]iniepo handler' | head -1"


@contextmanager
def broken(conversations: Examined, node: str, *files: str) -> Iterator[None]:
    """Files of a handler that may be broken; afterwards they are mended, and its process is the same one as before."""
    before = on(conversations.lab, node, PROCESS)
    with file_kept(conversations.lab, node, *files):
        on(conversations.lab, node, f": > {LOG}")
        yield
    assert on(conversations.lab, node, PROCESS) == before, "the handler has not been restarted"


def said(lab: str, node: str) -> list[str]:
    """What stands in a node's server.log."""
    return on(lab, node, f"cat {LOG}").splitlines()


def has_published_lines(lab: str, node: str) -> bool:
    """Whether a handler has said both published lines, one after the other."""
    pairs = zip(said(lab, node), said(lab, node)[1:], strict=False)
    return any(PUBLISHED[0].fullmatch(first) and PUBLISHED[1].fullmatch(second) for first, second in pairs)


def users_of(conversations: Examined, handler: str, *, alone: bool = True) -> set[str]:
    """The agents (paths) that use a handler and no other; with `alone` false also those that draw among several."""
    topology = conversations.topology
    used = {node.path: {way.handler for way in ways(topology, node)} for node in facts.agents(topology)}
    return {path for path, handlers in used.items() if handlers == {handler} or (not alone and handler in handlers)}


def assert_mended(conversations: Examined) -> None:
    assert {row["promise"] for row in conversations.assert_positive("-k", "datachannel")} == {"datachannel"}


def test_a_missing_certificate_is_seen(conversations: Examined) -> None:
    with broken(conversations, HANDLER, CERTIFICATE):
        on(conversations.lab, HANDLER, f"rm {CERTIFICATE}")
        rows = conversations.failures("datachannel", kept=KEPT)
        assert {HANDLER, AGENT} <= nodes_of(rows) <= {HANDLER} | users_of(conversations, HANDLER, alone=False)
        assert_told(rows, HANDLER, "certificate and key of the DataChannel", f"{CERTIFICATE} is not there")
        assert_told(rows, AGENT, "answers it once", "answers: []")
        assert has_published_lines(conversations.lab, HANDLER), said(conversations.lab, HANDLER)
    assert_mended(conversations)


def test_a_mismatched_extension_on_the_master_handler_is_seen(conversations: Examined) -> None:
    with broken(conversations, MASTER, REDIRECT):
        on(conversations.lab, MASTER, f"echo 4.5.0 > {REDIRECT}")
        rows = conversations.failures("datachannel", kept=KEPT)
        users = users_of(conversations, MASTER)
        assert users and users <= nodes_of(rows), "no answer comes through the master handler"
        assert not nodes_of(rows) & users_of(conversations, HANDLER)
        assert has_published_lines(conversations.lab, MASTER), said(conversations.lab, MASTER)
    assert_mended(conversations)


def expired(home: Path, lab: str) -> tuple[bytes, bytes]:
    """A certificate of the lab's CA for the handler that ran out a minute ago, and its key."""
    secrets = home / "labs" / lab / "secrets"
    ca = x509.load_pem_x509_certificate((secrets / "ca.pem").read_bytes())
    issuer = load_pem_private_key((secrets / "ca.key").read_bytes(), password=None)
    assert isinstance(issuer, ec.EllipticCurvePrivateKey)
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"DataChannelAH_{HANDLER}")])
    draft = x509.CertificateBuilder().subject_name(subject).issuer_name(ca.subject).public_key(key.public_key())
    draft = draft.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    made = draft.not_valid_after(now - timedelta(minutes=1)).sign(issuer, SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM), pem


def own(home: Path, lab: str, handler: str) -> tuple[bytes, bytes]:
    """The good certificate of a handler, and its key."""
    kept = home / "labs" / lab / "secrets" / "datachannel" / handler.replace("/", ".")
    return kept.with_name(f"{kept.name}.pem").read_bytes(), kept.with_name(f"{kept.name}.key").read_bytes()


def put(lab: str, node: str, files: tuple[bytes, bytes]) -> None:
    """Give a handler another certificate and key; owner and mode stay."""
    for path, data in zip((CERTIFICATE, KEY), files, strict=True):
        inside(f"{lab}.{node.replace('/', '.')}", "bash", "-c", f"cat > {path}", given=data.decode())


def test_an_expired_certificate_and_a_wrong_one_are_seen_and_told_apart(conversations: Examined) -> None:
    """One handler's has run out, the other shows the first one's: nothing comes up through either, and each says why;
    the server is not concerned."""
    lab, files = conversations.lab, (CERTIFICATE, KEY)
    with broken(conversations, HANDLER, *files), broken(conversations, SECOND, *files):
        put(lab, HANDLER, expired(conversations.home, lab))
        put(lab, SECOND, own(conversations.home, lab, HANDLER))
        rows = conversations.failures("datachannel", kept=["isolation"])
        assert_told(rows, HANDLER, f"a valid certificate DataChannelAH_{HANDLER} of the lab's CA", "it is valid from")
        assert_told(rows, SECOND, "has a valid certificate", f"it is called DataChannelAH_{HANDLER}")
        users = {user for handler in (HANDLER, SECOND) for user in users_of(conversations, handler)}
        assert users <= nodes_of(rows), told(rows)
        assert not nodes_of(rows) & {MASTER, *users_of(conversations, MASTER)}, told(rows)
        for user in users:
            assert_told(rows, user, "answers it once", "answers: []")
        for handler in (HANDLER, SECOND):
            assert has_published_lines(lab, handler), said(lab, handler)
    assert_mended(conversations)
