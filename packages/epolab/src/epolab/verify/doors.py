"""Who gets in at a handler: the lab's own certificates only, content alone without TLS, 245 connections and no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.ports import HTTP, HTTPS
from epolab.model.topology import Topology
from epolab.verify.relay_plan import CA, OWN
from epolab.verify.witness import Witness

CONNECTIONS = 245
SPARED = 5
"""So many of them may be held all the while by agents that call in: the crowd takes each that comes free, but an agent
may be there first. More than `CONNECTIONS` are never served, however many of them are agents'."""
TIMEOUT_SECONDS = 8.0
HANDLERS_OWN = ("/etc/miniepo/tls/node.pem", "/etc/miniepo/tls/node.key")
PROGRAM = resources.files("epolab.verify").joinpath("door_program.py").read_text()

Seen = Mapping[str, Any]


def guest_of(topology: Topology, handler: Node) -> Node:
    """Who looks at a handler: the first agent that reaches it, else the handler itself."""
    agents = facts.agents(topology)
    return next((agent for agent in agents if facts.reachable(topology, agent, handler, "tcp", HTTPS)), handler)


def own_of(guest: Node) -> tuple[str, str]:
    """The certificate and the key that a guest has."""
    return OWN if guest.has("agent") or guest.swarm else HANDLERS_OWN


def foreign_certificate(name: str) -> str:
    """A certificate and its key, PEM, that a CA of the same name signed which this lab never saw."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"agent {name}")])
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "epolab another lab CA")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(ec.generate_private_key(ec.SECP256R1()), SHA256())
    )
    pair = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    return pair.decode()


def look_at(witness: Witness, handlers: Iterable[Node], limit: int) -> dict[str, Seen]:
    """What each handler does at its ports, all at once, by node path; a limit of 0 leaves out the crowd."""
    wanted = list(handlers)
    with ThreadPoolExecutor(8) as pool:
        seen = pool.map(lambda handler: look(witness, guest_of(witness.topology, handler), handler, limit), wanted)
        return {handler.path: each for handler, each in zip(wanted, seen, strict=True)}


def look(witness: Witness, guest: Node, handler: Node, limit: int, meanwhile: str = "") -> Seen:
    """What a handler does at its ports, seen from a guest's node.

    While the crowd stands, the agents behind the control socket `meanwhile` of that node call in.
    """
    given = {
        "address": str(handler.ipv4),
        "https": HTTPS,
        "http": HTTP,
        "name": handler.fqdn,
        "ca": CA,
        "own": list(own_of(guest)),
        "foreign": foreign_certificate(guest.fqdn),
        "limit": limit,
        "meanwhile": meanwhile,
        "timeout_s": TIMEOUT_SECONDS,
    }
    seen: Seen = witness.python(guest.path, PROGRAM, given, line="door")
    return seen


def strangers_served(handler: str, seen: Seen) -> list[tuple[str, str]]:
    """What is wrong about who gets in, as (expected, observed)."""
    broken = []
    if seen["own"]["status"] not in (200, 404):
        broken.append((f"{handler}: serves who shows a certificate of this lab", _told(handler, seen["own"])))
    for who, words in (("nothing", "who shows no certificate"), ("foreign", "a certificate of another lab")):
        if seen[who]["status"]:
            broken.append((f"{handler}: its TLS port refuses {words}", _told(handler, seen[who])))
    if seen["plain"]["status"] != 403:
        broken.append((f"{handler}: takes no envelope without TLS", _told(handler, seen["plain"])))
    if seen["content"]["status"] not in (200, 404):
        broken.append((f"{handler}: serves content without TLS", _told(handler, seen["content"])))
    return broken


def crowd_served(handler: str, seen: Seen) -> list[tuple[str, str]]:
    """What is wrong about the limit of connections, as (expected, observed)."""
    broken, crowd = [], seen["crowd"]
    wanted = f"{handler}: refuses one connection above {CONNECTIONS} with 503, the reason and when to come back"
    if crowd["status"] != 503 or not crowd["retry_after"].isdecimal() or "in use" not in crowd["text"]:
        broken.append((wanted, _told(handler, crowd)))
    elif seen["held"] < CONNECTIONS - SPARED:
        least = f"{handler}: serves {CONNECTIONS} connections at once, or up to {SPARED} less while agents call in"
        broken.append((least, f"{handler}: it served {seen['held']} and refused the next"))
    if seen["later"]["status"] not in (200, 404):
        broken.append((f"{handler}: serves again when they have gone", _told(handler, seen["later"])))
    return broken


def _told(handler: str, seen: Seen) -> str:
    return f"{handler}: answered {seen['status']}: {seen['text']}" if seen["status"] else f"{handler}: {seen['text']}"
