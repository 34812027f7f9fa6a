"""A field to try agents in: a database, real handlers and real agent processes on loopback, all in one folder."""

import asyncio
import contextlib
import datetime
import ipaddress
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from nacl.signing import SigningKey

from miniepo import config
from miniepo.protocol import signing, sitelist
from miniepo.protocol.sitelist import Site, SiteList
from miniepo.store.database import open_database
from miniepo.store.migrate import migrate
from miniepo.store.store import Store

Result = TypeVar("Result")


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], Result | None], seconds: float = 15.0, what: str = "") -> Result:
    """The first true value of `condition`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    pause = 0.02
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or condition}"
        time.sleep(pause)
        pause = min(0.25, pause * 1.5)
    return value


class Process:
    """A component in a process of its own; its log is in the field's folder."""

    def __init__(self, folder: Path, argv: list[str], name: str) -> None:
        self.log = folder / f"{name}.log"
        self._argv = argv
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(self._argv, stdout=output, stderr=output)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()

    def text(self) -> str:
        return self.log.read_text(errors="replace")


_RUN = "import sys; from miniepo.cli import main; sys.exit(main(sys.argv[1:]))"


class Authority:
    """A certificate authority for the field."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "field CA")])
        certificate = self._build(self._name, self._key, []).sign(self._key, hashes.SHA256())
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _build(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        names: list[str],
        valid_for: datetime.timedelta = datetime.timedelta(days=1),
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + valid_for)
            .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names:
            built = built.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        return built

    def issue(self, name: str, names: list[str], file: str = "", expired: bool = False) -> dict[str, str]:
        """Files of a node's certificate and key, as the configuration names them."""
        file = file or name
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        valid_for = datetime.timedelta(minutes=-1) if expired else datetime.timedelta(days=1)
        certificate = self._build(subject, key, names, valid_for).sign(self._key, hashes.SHA256())
        files = {"certificate": self._folder / f"{file}.pem", "key": self._folder / f"{file}.key", "ca": self.ca}
        files["certificate"].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files["key"].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return {role: str(path) for role, path in files.items()}


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Field:
    """One server's database and keys, and whatever handlers and agents a test starts."""

    def __init__(self, folder: Path, database: config.Database) -> None:
        self.folder = folder
        self.log_level = "DEBUG"
        self.key = SigningKey.generate()
        self.authority = Authority(folder)
        self._processes: list[Process] = []
        self._write("assc.key", signing.seed_text(self.key))
        self._write("assc.pub", signing.public_text(self.key))
        self._write("enrolment.key", "vouch for me")
        self.database = database
        asyncio.run(migrate(database))
        self.sites: tuple[Site, ...] = ()

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def store(self, work: Callable[[Store], Coroutine[Any, Any, Result]]) -> Result:
        """Do something with the database, as the server would."""

        async def run() -> Result:
            async with open_database(self.database, connections=2) as database:
                return await work(Store(database))

        return asyncio.run(run())

    def handler(
        self, name: str, address: str = "127.0.0.1", namespace: str | None = None, fqdn: str = "localhost", **more: Any
    ) -> Process:
        """Start a handler whose site joins the first site list."""
        http, https = free_port(), free_port()
        settings = {
            "name": name,
            "fqdn": fqdn,
            "listen": [address],
            "http_port": http,
            "https_port": https,
            "database": msgspec.to_builtins(self.database),
            "tls": self.authority.issue(name.replace("/", "-"), [fqdn, address]),
            "repository": str(self.folder / "repository"),
            "signing_key": str(self.folder / "assc.key"),
            "enrolment_key_file": str(self.folder / "enrolment.key"),
            "work_poll_seconds": 0.5,
            "published_addresses": [address],
        } | more
        (self.folder / "repository").mkdir(exist_ok=True)
        site = Site("SpipeSite", name, "master", len(self.sites) + 1, fqdn, http, address, secure_port=https)
        self.sites = (*self.sites, site)
        process = self._start("handler", settings, name, namespace)
        until(lambda: "listening on" in process.text(), what=f"{name} listens on {https}: {process.log}")
        return process

    def agent(
        self, name: str, wakeup_port: int | None = None, namespace: str | None = None, **more: Any
    ) -> "AgentProcess":
        """Start an agent."""
        self._write("SiteList.xml", sitelist.write(SiteList("EPO", "", self.sites)))
        port = wakeup_port or free_port()
        own = self.authority.issue(f"agent-{name}", [name])
        settings = {
            "computer_name": name,
            "fqdn": "localhost",
            "state_dir": str(self.folder / f"state-{name}"),
            "sitelist": str(self.folder / "SiteList.xml"),
            **own,
            "server_public_key": str(self.folder / "assc.pub"),
            "enrolment_key_file": str(self.folder / "enrolment.key"),
            "first_call_within_seconds": 0.1,
            "asci_seconds": 2,
            "wakeup_port": port,
            "repository": str(self.folder / f"repository-{name}"),
            "relay_control": str(self.folder / f"sv-{name}"),
            "listen": ["127.0.0.1"],
        } | more
        process = self._start("agent", settings, name, namespace)
        return AgentProcess(process, Path(str(settings["state_dir"])), port)

    def relay(self, name: str, namespace: str | None = None, **more: Any) -> Process:
        """Start a relay process."""
        settings = {
            "sitelist": str(self._write("SiteList.xml", sitelist.write(SiteList("EPO", "", self.sites)))),
            "computer_name": name,
            "guid": f"GUID-OF-{name}",
        } | more
        process = self._start("relay", settings, name, namespace)
        until(lambda: "forwards on port" in process.text(), what=f"{name} listens: {process.log}")
        return process

    def beside(self, argv: list[str], name: str) -> Process:
        """Start another program; it ends with the field."""
        process = Process(self.folder, argv, name)
        self._processes.append(process)
        return process

    def start(self, component: str, settings: dict[str, Any], name: str) -> Process:
        """Start any other component."""
        return self._start(component, settings, name, None)

    def _start(self, component: str, settings: dict[str, Any], name: str, namespace: str | None) -> Process:
        flat = name.replace("/", "-")
        path = self._write(f"{component}-{flat}.json", json.dumps(settings))
        enter = ["nsenter", f"--net=/run/netns/{namespace}"] if namespace else []
        argv = [*enter, sys.executable, "-c", _RUN, component, "--config", str(path), "--log-level", self.log_level]
        return self.beside(argv, f"{component}-{flat}")

    def assign(self, agent: "AgentProcess", category: str, settings: dict[str, object]) -> None:
        """Give one agent a policy of its own, as a console user would."""
        guid = agent.status()["guid"]

        async def work(store: Store) -> None:
            system = await store.systems.by_guid(guid)
            policy = await store.policies.by_id(await store.policies.save(f"{category} of {guid}", category, settings))
            assert system is not None and policy is not None
            await store.policies.assign_to_system(policy, system.id)

        self.store(work)

    def close(self) -> None:
        for process in self._processes:
            process.stop()


class AgentProcess:
    """A running agent and what it left on disk."""

    def __init__(self, process: Process, state: Path, port: int) -> None:
        self.process = process
        self.state = state
        self.port = port

    def status(self) -> dict[str, Any]:
        path = self.state / "status.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def until(self, check: Callable[[dict[str, Any]], object], seconds: float = 15.0) -> dict[str, Any]:
        """The status when `check` holds for it."""

        def holds() -> dict[str, Any] | None:
            status = self.status()
            return status if status and check(status) else None

        try:
            return until(holds, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.status()}\n{self.process.text()[-4000:]}") from None

    def ctl(self, *words: str, fails: bool = False) -> dict[str, Any]:
        """`miniepo ctl` towards this agent; the reply, also of an order that `fails`."""
        code = "import sys; from miniepo.agent.ctl import main; sys.exit(main(sys.argv[1:]))"
        argv = [sys.executable, "-c", code, "--state-dir", str(self.state), *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
        assert done.returncode == int(fails), f"{words}: {done.stderr}\n{self.process.text()[-3000:]}"
        return dict(json.loads(done.stdout))


@contextlib.contextmanager
def open_field(folder: Path, database: config.Database) -> Iterator[Field]:
    """A field whose processes are gone afterwards."""
    field = Field(folder, database)
    try:
        yield field
    finally:
        field.close()
