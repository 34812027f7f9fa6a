"""Real neighbours for miniepo's integration tests: a PostgreSQL cluster in a temporary directory, and a CA."""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from nacl.signing import SigningKey

from miniepo import config
from miniepo.protocol import signing
from miniepo.store.migrate import migrate

sys.path.insert(0, str(Path(__file__).parent))

from component import Component, free_ports

_numbers = itertools.count()
_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root: the account to run it as then, else None."""
    return "postgres" if os.geteuid() == 0 else None


def _run(*argv: str) -> None:
    done = subprocess.run(argv, user=_unprivileged(), capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, f"{argv[0]}: {done.stdout}{done.stderr}"


class Cluster:
    """A PostgreSQL cluster that listens on a UNIX socket only."""

    def __init__(self, directory: Path, binaries: Path) -> None:
        self.directory = directory
        self._binaries = binaries

    def create(self) -> None:
        _run(str(self._binaries / "initdb"), "-D", f"{self.directory}/data", "-U", "epo", "-A", "trust", "-N")

    def start(self) -> None:
        options = f"-k {self.directory} -c listen_addresses= -c fsync=off -c max_connections=200"
        _run(
            *(str(self._binaries / "pg_ctl"), "-D", f"{self.directory}/data", "-w", "-o", options),
            *("-l", f"{self.directory}/log", "start"),
        )

    def stop(self) -> None:
        _run(str(self._binaries / "pg_ctl"), "-D", f"{self.directory}/data", "-w", "-m", "immediate", "stop")

    def create_database(self, name: str) -> config.Database:
        with psycopg.connect(host=str(self.directory), user="epo", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return config.Database(host=str(self.directory), name=name, user="epo")


@dataclass(frozen=True, slots=True)
class Keys:
    """Files that a lab's roles would put on the nodes."""

    tls: config.Tls
    signing_key: str
    public_key: str
    enrolment_key_file: str


def make_keys(directory: Path) -> Keys:
    """Write every key file into a directory."""
    assc = SigningKey.generate()
    texts = {"assc.key": signing.seed_text(assc), "assc.pub": signing.public_text(assc), "enrolment.key": "let me in"}
    for name, text in texts.items():
        (directory / name).write_text(text + "\n")
    tls = _certificates(directory)
    paths = {name: str(directory / name) for name in texts}
    return Keys(tls, paths["assc.key"], paths["assc.pub"], paths["enrolment.key"])


def _certificates(directory: Path) -> config.Tls:
    ca_key, node_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])
    node_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    ca = _builder(ca_name, ca_name, ca_key).add_extension(x509.BasicConstraints(True, 0), critical=True)
    addresses = (x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1"))
    alternatives = x509.SubjectAlternativeName([x509.DNSName("localhost"), *addresses])
    node = _builder(ca_name, node_name, node_key).add_extension(alternatives, critical=False)
    files = {
        "ca.pem": ca.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
        "node.pem": node.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
        "node.key": node_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    }
    for name, data in files.items():
        (directory / name).write_bytes(data)
    return config.Tls(certificate=f"{directory}/node.pem", key=f"{directory}/node.key", ca=f"{directory}/ca.pem")


def _builder(issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=2))
    )


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One cluster for all tests of a run."""
    assert _BINARIES, "PostgreSQL's programs are not in /usr/lib/postgresql; `make setup` installs them"
    account = _unprivileged()
    with tempfile.TemporaryDirectory(prefix="miniepo-pg-") as directory:
        if account:
            os.chown(directory, pwd.getpwnam(account).pw_uid, -1)
        made = Cluster(Path(directory), _BINARIES[-1])
        made.create()
        made.start()
        try:
            yield made
        finally:
            made.stop()


@pytest.fixture
def database(cluster: Cluster) -> config.Database:
    """An empty database of its own for each test."""
    return cluster.create_database(f"test_{next(_numbers)}")


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """A CA, a certificate for localhost signed by it, the ASSC key pair and an enrolment key."""
    return make_keys(tmp_path_factory.mktemp("keys"))


@dataclass(frozen=True, slots=True)
class RunningHandler:
    """A handler process, its ports and its database."""

    process: Component
    settings: config.HandlerConfig
    database: config.Database


@pytest.fixture
def handler(database: config.Database, keys: Keys, tmp_path: Path) -> Iterator[RunningHandler]:
    """A built-in handler with an empty System Tree."""
    asyncio.run(migrate(database))
    http, https = free_ports(2)
    (tmp_path / "repository").mkdir()
    settings = config.HandlerConfig(
        name="hq/epo",
        fqdn="localhost",
        listen=("127.0.0.1", "::1"),
        http_port=http,
        https_port=https,
        database=database,
        tls=keys.tls,
        repository=str(tmp_path / "repository"),
        signing_key=keys.signing_key,
        enrolment_key_file=keys.enrolment_key_file,
        work_poll_seconds=0.5,
        published_addresses=("127.0.0.1", "::1"),
    )
    process = Component("handler", settings, tmp_path)
    process.start(http, https)
    try:
        yield RunningHandler(process, settings, database)
    finally:
        process.stop()
