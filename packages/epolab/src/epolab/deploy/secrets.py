"""What each lab keeps to itself: its certificate authority, certificates, signing keys and passwords, made once.

Everything lies in the lab's folder below `secrets/`, each file 0600. A certificate is made again only when the names
or addresses of its node change, or when its CA does.
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
ADMIN_USER = "admin"


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
        """A password: `db` is the database user's, `admin` the console's."""
        return self.folder / f"{name}.password"


def ensure_secrets(topology: Topology, lab: Path) -> Secrets:
    """The secrets of a lab, those made that are not there; the lab's lock must be held."""
    secrets = Secrets(lab / "secrets")
    if not secrets.ca_key.exists():
        _make_ca(secrets, topology.name)
    for name in ("assc", "vendor"):
        if not secrets.verify_key(name).exists():
            _make_signing_key(secrets, name)
    for path in (secrets.enrolment_key, secrets.password("db"), secrets.password("admin")):
        if not path.exists():
            write_private(path, f"{randomness.token_urlsafe(24)}\n".encode())
    for node in topology.nodes:
        if any(node.has(component) for component in TLS_COMPONENTS):
            _ensure_certificate(secrets, node)
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


def _ensure_certificate(secrets: Secrets, node: Node) -> None:
    ca = x509.load_pem_x509_certificate(secrets.ca_certificate.read_bytes())
    if not _still_good(secrets, node, ca):
        _make_certificate(secrets, node, ca)


def _still_good(secrets: Secrets, node: Node, ca: x509.Certificate) -> bool:
    if not (secrets.certificate(node).exists() and secrets.key(node).exists()):
        return False
    present = x509.load_pem_x509_certificate(secrets.certificate(node).read_bytes())
    named = present.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    issued = x509.AuthorityKeyIdentifier.from_issuer_public_key(_public(ca))
    by = present.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    return list(named) == names_of(node) and by.key_identifier == issued.key_identifier


def _public(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


def _make_certificate(secrets: Secrets, node: Node, ca: x509.Certificate) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = load_pem_private_key(secrets.ca_key.read_bytes(), password=None)
    assert isinstance(issuer, ec.EllipticCurvePrivateKey)
    draft = _draft(_subject(node.fqdn), ca.subject, key.public_key())
    draft = draft.add_extension(x509.SubjectAlternativeName(names_of(node)), critical=False)
    draft = draft.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(_public(ca)), critical=False)
    draft = draft.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    draft = draft.add_extension(_key_usage(ca=False), critical=True)
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    draft = draft.add_extension(purposes, critical=False)
    _write_key(secrets.key(node), key)
    write_private(secrets.certificate(node), draft.sign(issuer, SHA256()).public_bytes(Encoding.PEM))


def _make_signing_key(secrets: Secrets, name: str) -> None:
    key = Ed25519PrivateKey.generate()
    seed = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    write_private(secrets.signing_key(name), base64.b64encode(seed) + b"\n")
    write_private(secrets.verify_key(name), base64.b64encode(public) + b"\n")
