"""What each lab keeps to itself: its certificate authority, certificates, signing keys and passwords, made once.

Everything lies in the lab's folder below `secrets/`, each file 0600. A certificate is made again only when it is gone,
when the names or addresses of its node change, or when no CA that the lab trusts has signed it. The lab trusts
`ca.pem`, which signs what is made, and every `ca.*.pem` beside it: that is how one CA follows another without anybody
being shut out (docs/handlers.md).
"""

from __future__ import annotations

import base64
import hashlib
import secrets as randomness
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from epolab.hands.files import write_private
from epolab.model import Node, Topology

VALID_FOR = timedelta(days=3650)
BACKDATED = timedelta(days=1)  # a VM's clock may lag behind the host's
TLS_COMPONENTS = ("server", "handler", "sql")
CHANNEL_COMPONENTS = ("server", "handler")
CLIENT_COMPONENTS = ("agent", "swarm")
ADMIN_USER = "admin"
PUSH_USER = "administrator"


@dataclass(frozen=True, slots=True)
class Secrets:
    """Where a lab's secrets lie."""

    folder: Path

    @property
    def ca_certificate(self) -> Path:
        """The lab's CA, PEM; no secret, but it lies with its key."""
        return self.folder / "ca.pem"

    @property
    def ca_key(self) -> Path:
        """The key of the lab's CA."""
        return self.folder / "ca.key"

    @property
    def ca_bundle(self) -> Path:
        """Every CA that the nodes trust, the one that signs first, PEM."""
        return self.folder / "trusted.pem"

    def agent_certificate(self, node: Node) -> Path:
        """What the agents of a node show to handlers."""
        return self.folder / "agents" / f"{node.site}.{node.name}.pem"

    def agent_key(self, node: Node) -> Path:
        """The key of the agents' certificate."""
        return self.agent_certificate(node).with_suffix(".key")

    @property
    def package_certificate(self) -> Path:
        """What agents show to handlers that were installed from the agent package."""
        return self.folder / "agents" / "package.pem"

    def channel_certificate(self, node: Node) -> Path:
        """What the handler of a node shows to the server when it passes on what agents say on the DataChannel."""
        return self.folder / "datachannel" / f"{node.site}.{node.name}.pem"

    def channel_key(self, node: Node) -> Path:
        """The key of that certificate."""
        return self.channel_certificate(node).with_suffix(".key")

    def certificate(self, node: Node) -> Path:
        """A node's TLS certificate."""
        return self.folder / "nodes" / f"{node.site}.{node.name}.pem"

    def key(self, node: Node) -> Path:
        """The key of a node's TLS certificate."""
        return self.certificate(node).with_suffix(".key")

    def signing_key(self, name: str) -> Path:
        """An ed25519 seed, one line of base64: `assc` is the server's, `vendor` the update server's."""
        return self.folder / f"{name}.key"

    def verify_key(self, name: str) -> Path:
        """The public half of a signing key."""
        return self.folder / f"{name}.pub"

    @property
    def enrolment_key(self) -> Path:
        """What an agent must know to enrol."""
        return self.folder / "enrolment.key"

    def password(self, name: str) -> Path:
        """A password: `db` is the database user's, `admin` the console's, `push` that of nodes to push agents to."""
        return self.folder / f"{name}.password"


def ensure_secrets(topology: Topology, lab: Path) -> Secrets:
    """The secrets of a lab, those made that are not there; the lab's lock must be held."""
    secrets = Secrets(lab / "secrets")
    if not secrets.ca_key.exists():
        _make_ca(secrets, topology.name)
    for name in ("assc", "vendor"):
        if not secrets.verify_key(name).exists():
            _make_signing_key(secrets, name)
    for path in (secrets.enrolment_key, *map(secrets.password, ("db", "admin", "push"))):
        if not path.exists():
            write_private(path, f"{randomness.token_urlsafe(24)}\n".encode())
    _write_bundle(secrets)
    _ensure_certificate(secrets, _package_request(secrets))
    for node in topology.nodes:
        if any(node.has(component) for component in TLS_COMPONENTS):
            _ensure_certificate(secrets, _server_request(secrets, node))
        if any(node.has(component) for component in CHANNEL_COMPONENTS):
            _ensure_certificate(secrets, _channel_request(secrets, node))
        if any(node.has(component) for component in CLIENT_COMPONENTS):
            _ensure_certificate(secrets, _agent_request(secrets, node))
    return secrets


def names_of(node: Node) -> list[x509.GeneralName]:
    """What a node's certificate must name: its full and short name, its addresses and the loopback's."""
    names = [node.fqdn, node.name, "localhost"]
    addresses = [text for i in node.interfaces for text in (str(i.ipv4.ip), str(i.ipv6.ip))]
    return [
        *(x509.DNSName(name) for name in names),
        *(x509.IPAddress(ip_address(text)) for text in [*addresses, "127.0.0.1", "::1"]),
    ]


def subject_hash(certificate: Path) -> str:
    """The name by which OpenSSL finds a certificate in a directory: SHA-1 of the subject in canonical form."""
    subject = x509.load_pem_x509_certificate(certificate.read_bytes()).subject
    canonical = b"".join(_canonical_rdn(attribute) for attribute in subject)
    digest = hashlib.sha1(canonical, usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def _canonical_rdn(attribute: x509.NameAttribute[str | bytes]) -> bytes:
    """SET { SEQUENCE { OID, UTF8String } } with the value in lower case and single spaces; short lengths only."""
    value = " ".join(str(attribute.value).lower().split()).encode()
    numbers = [int(part) for part in attribute.oid.dotted_string.split(".")]
    oid = bytes([numbers[0] * 40 + numbers[1], *numbers[2:]])
    pair = _tagged(0x06, oid) + _tagged(0x0C, value)
    return _tagged(0x31, _tagged(0x30, pair))


def _tagged(tag: int, content: bytes) -> bytes:
    return bytes([tag, len(content)]) + content


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _draft(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - BACKDATED).not_valid_after(now + VALID_FOR)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _make_ca(secrets: Secrets, lab: str) -> None:
    key, subject = ec.generate_private_key(ec.SECP256R1()), _subject(f"epolab {lab} CA")
    draft = _draft(subject, subject, key.public_key())
    draft = draft.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    draft = draft.add_extension(_key_usage(ca=True), critical=True)
    write_private(secrets.ca_certificate, draft.sign(key, SHA256()).public_bytes(Encoding.PEM))
    _write_key(secrets.ca_key, key)


@dataclass(frozen=True, slots=True)
class _Request:
    """A certificate that must be there: where it lies, whom it names, and what for."""

    certificate: Path
    common_name: str
    names: list[x509.GeneralName]
    purposes: tuple[x509.ObjectIdentifier, ...]

    @property
    def key(self) -> Path:
        return self.certificate.with_suffix(".key")


def _server_request(secrets: Secrets, node: Node) -> _Request:
    """A node that listens with TLS; handlers and the server are each other's clients too."""
    purposes = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
    return _Request(secrets.certificate(node), node.fqdn, names_of(node), purposes)


def _agent_request(secrets: Secrets, node: Node) -> _Request:
    """The agents of a node: nobody takes them for a server."""
    names: list[x509.GeneralName] = [x509.DNSName(node.fqdn)]
    return _Request(secrets.agent_certificate(node), f"agent {node.fqdn}", names, (ExtendedKeyUsageOID.CLIENT_AUTH,))


def _package_request(secrets: Secrets) -> _Request:
    """One for all: the package is the same for every host, whoever it becomes."""
    names: list[x509.GeneralName] = [x509.DNSName("agent-package")]
    return _Request(secrets.package_certificate, "agent package", names, (ExtendedKeyUsageOID.CLIENT_AUTH,))


def _channel_request(secrets: Secrets, node: Node) -> _Request:
    """A handler on the DataChannel; the server knows it by the name `DataChannelAH_<handler>` (domain §6.3)."""
    names: list[x509.GeneralName] = [x509.DNSName(node.fqdn)]
    purposes = (ExtendedKeyUsageOID.CLIENT_AUTH,)
    return _Request(secrets.channel_certificate(node), f"DataChannelAH_{node.path}", names, purposes)


def _write_bundle(secrets: Secrets) -> None:
    others = sorted(path for path in secrets.folder.glob("ca.*.pem"))
    pem = b"".join(path.read_bytes() for path in (secrets.ca_certificate, *others))
    if not secrets.ca_bundle.exists() or secrets.ca_bundle.read_bytes() != pem:
        write_private(secrets.ca_bundle, pem)


def _ensure_certificate(secrets: Secrets, request: _Request) -> None:
    trusted = x509.load_pem_x509_certificates(secrets.ca_bundle.read_bytes())
    if not _still_good(request, trusted):
        _make_certificate(secrets, request, trusted[0])


def _still_good(request: _Request, trusted: list[x509.Certificate]) -> bool:
    if not (request.certificate.exists() and request.key.exists()):
        return False
    present = x509.load_pem_x509_certificate(request.certificate.read_bytes())
    named = present.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    by = present.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    issuers = [x509.AuthorityKeyIdentifier.from_issuer_public_key(_public(ca)).key_identifier for ca in trusted]
    return list(named) == request.names and by.key_identifier in issuers


def _public(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


def _make_certificate(secrets: Secrets, request: _Request, ca: x509.Certificate) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = load_pem_private_key(secrets.ca_key.read_bytes(), password=None)
    assert isinstance(issuer, ec.EllipticCurvePrivateKey)
    draft = _draft(_subject(request.common_name), ca.subject, key.public_key())
    draft = draft.add_extension(x509.SubjectAlternativeName(request.names), critical=False)
    draft = draft.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(_public(ca)), critical=False)
    draft = draft.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    draft = draft.add_extension(_key_usage(ca=False), critical=True)
    draft = draft.add_extension(x509.ExtendedKeyUsage(request.purposes), critical=False)
    _write_key(request.key, key)
    write_private(request.certificate, draft.sign(issuer, SHA256()).public_bytes(Encoding.PEM))


def _make_signing_key(secrets: Secrets, name: str) -> None:
    key = Ed25519PrivateKey.generate()
    seed = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    write_private(secrets.signing_key(name), base64.b64encode(seed) + b"\n")
    write_private(secrets.verify_key(name), base64.b64encode(public) + b"\n")
