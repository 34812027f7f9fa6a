"""Secrets: made once, private, and certificates that name what the node is called."""

import base64
import hashlib
from dataclasses import replace
from ipaddress import ip_address, ip_interface
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from epolab.deploy.secrets import ensure_secrets, subject_hash
from epolab.model import Topology
from epolab.topology import load_topology

TOPOLOGY = Path(__file__).parents[4] / "topologies" / "minimal.yaml"

# `openssl x509 -subject_hash` of a certificate whose subject is CN=epolab Quick  Start CA
QUICK_START_HASH = "95fb50d5"


@pytest.fixture
def topology() -> Topology:
    return load_topology(TOPOLOGY)


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def loaded(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_they_are_made_once_and_for_their_owner_alone(topology: Topology, tmp_path: Path) -> None:
    ensure_secrets(topology, tmp_path)
    before = contents(tmp_path)
    ensure_secrets(topology, tmp_path)
    assert contents(tmp_path) == before
    assert {path.stat().st_mode & 0o077 for path in tmp_path.rglob("*")} == {0}


def test_two_labs_share_no_secret(topology: Topology, tmp_path: Path) -> None:
    for lab in ("one", "two"):
        ensure_secrets(topology, tmp_path / lab)
    assert not set(contents(tmp_path / "one").values()) & set(contents(tmp_path / "two").values())


def test_a_certificate_names_the_node_its_addresses_and_the_loopback(topology: Topology, tmp_path: Path) -> None:
    node = topology.node("hq/epo")
    secrets = ensure_secrets(topology, tmp_path)
    certificate = x509.load_pem_x509_certificate(secrets.certificate(node).read_bytes())
    ca = x509.load_pem_x509_certificate(secrets.ca_certificate.read_bytes())
    certificate.verify_directly_issued_by(ca)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["epo.hq.test", "epo", "localhost"]
    addresses = [str(node.ipv4), str(node.ipv6), "127.0.0.1", "::1"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address(address) for address in addresses]


def test_only_nodes_that_speak_tls_have_a_certificate(topology: Topology, tmp_path: Path) -> None:
    secrets = ensure_secrets(topology, tmp_path)
    assert secrets.certificate(topology.node("hq/sql")).exists()
    assert not secrets.certificate(topology.node("hq/pc-1")).exists()


def test_the_agents_of_a_node_have_a_certificate_that_is_no_servers(topology: Topology, tmp_path: Path) -> None:
    secrets = ensure_secrets(topology, tmp_path)
    node = topology.node("hq/pc-1")
    certificate = loaded(secrets.agent_certificate(node))
    certificate.verify_directly_issued_by(loaded(secrets.ca_certificate))
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert secrets.agent_key(node).stat().st_mode & 0o777 == 0o600
    assert not secrets.agent_certificate(topology.node("hq/sql")).exists()


def test_each_handler_has_a_certificate_for_the_datachannel(topology: Topology, tmp_path: Path) -> None:
    secrets = ensure_secrets(topology, tmp_path)
    node = topology.node("hq/epo")
    certificate = loaded(secrets.channel_certificate(node))
    certificate.verify_directly_issued_by(loaded(secrets.ca_certificate))
    assert certificate.subject.rfc4514_string() == "CN=DataChannelAH_hq/epo"
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert secrets.channel_key(node).stat().st_mode & 0o777 == 0o600
    assert not secrets.channel_certificate(topology.node("hq/sql")).exists()


def test_a_certificate_that_was_removed_is_made_again_and_no_other(topology: Topology, tmp_path: Path) -> None:
    secrets = ensure_secrets(topology, tmp_path)
    before = contents(secrets.folder)
    secrets.certificate(topology.node("hq/epo")).unlink()
    after = contents(ensure_secrets(topology, tmp_path).folder)
    assert {name for name in after if before[name] != after[name]} == {"nodes/hq.epo.pem", "nodes/hq.epo.key"}


def test_one_authority_follows_another_without_a_moment_of_distrust(topology: Topology, tmp_path: Path) -> None:
    secrets = ensure_secrets(topology, tmp_path)
    shown, old = secrets.certificate(topology.node("hq/epo")), loaded(secrets.ca_certificate)
    first = shown.read_bytes()
    secrets.ca_certificate.rename(secrets.folder / "ca.old.pem")
    secrets.ca_key.unlink()
    ensure_secrets(topology, tmp_path)
    new = loaded(secrets.ca_certificate)
    assert x509.load_pem_x509_certificates(secrets.ca_bundle.read_bytes()) == [new, old]
    assert shown.read_bytes() == first, "both are trusted: nothing is renewed yet"
    shown.unlink()
    ensure_secrets(topology, tmp_path)
    loaded(shown).verify_directly_issued_by(new)
    (secrets.folder / "ca.old.pem").unlink()
    ensure_secrets(topology, tmp_path)
    assert x509.load_pem_x509_certificates(secrets.ca_bundle.read_bytes()) == [new]
    loaded(secrets.agent_certificate(topology.node("hq/pc-1"))).verify_directly_issued_by(new)


def test_a_node_that_moves_gets_another_certificate_and_others_keep_theirs(topology: Topology, tmp_path: Path) -> None:
    before = contents(ensure_secrets(topology, tmp_path).folder)
    [site] = topology.sites
    moved = tuple(
        replace(node, interfaces=(replace(node.interfaces[0], ipv4=ip_interface("10.1.0.99/24")),))
        if node.name == "epo"
        else node
        for node in site.nodes
    )
    after = contents(ensure_secrets(replace(topology, sites=(replace(site, nodes=moved),)), tmp_path).folder)
    assert {name for name in after if before[name] != after[name]} == {"nodes/hq.epo.pem", "nodes/hq.epo.key"}


def test_signing_keys_are_pairs(topology: Topology, tmp_path: Path) -> None:
    secrets = ensure_secrets(topology, tmp_path)
    for name in ("assc", "vendor"):
        seed = base64.b64decode(secrets.signing_key(name).read_text())
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        assert base64.b64decode(secrets.verify_key(name).read_text()) == public


def test_the_subject_hash_is_openssls(topology: Topology, tmp_path: Path) -> None:
    secrets = ensure_secrets(replace(topology, name="Quick  Start"), tmp_path)
    assert subject_hash(secrets.ca_certificate) == QUICK_START_HASH


def test_pushed_agents_share_a_certificate_that_is_no_servers(topology: Topology, tmp_path: Path) -> None:
    secrets = ensure_secrets(topology, tmp_path)
    certificate = loaded(secrets.package_certificate)
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert secrets.password("push").read_text() != secrets.password("admin").read_text()
