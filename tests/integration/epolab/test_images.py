"""The images have in them what they claim, and are not made twice."""

import functools
import subprocess
from collections.abc import Iterator

import pytest

from epolab.hands.image_store import ImageStore
from epolab.hands.until import until
from epolab.images import BuiltImage, ensure_image

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def node() -> BuiltImage:
    return ensure_image("node", with_root=True)


@pytest.fixture(scope="module")
def container(node: BuiltImage) -> Iterator[str]:
    settings = ["--network=none", "--cap-add=NET_ADMIN", "--sysctl=net.ipv6.conf.all.disable_ipv6=0"]
    started = subprocess.run(
        ["docker", "run", "--detach", *settings, node.reference], check=True, capture_output=True, text=True
    )
    identity = started.stdout.strip()
    yield identity
    subprocess.run(["docker", "rm", "--force", "--volumes", identity], check=True, capture_output=True)


def said(container: str, command: str) -> str:
    done = subprocess.run(["docker", "exec", container, "sh", "-ec", command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_the_image_is_small_enough(node: BuiltImage) -> None:
    size = ImageStore.connect().size(node.reference)
    assert size is not None
    assert size < 450 * 10**6


def test_asking_again_makes_nothing(node: BuiltImage) -> None:
    told: list[str] = []
    assert ensure_image("node", told.append, with_root=True) == node
    assert told == []


def test_services_are_supervised_by_the_first_process(container: str) -> None:
    until(lambda: said(container, "cat /proc/1/comm") == "runsvdir", what="runsvdir is there", limit_seconds=30)


@pytest.mark.parametrize(
    "program",
    [
        "sshd",
        "ip",
        "iptables",
        "ip6tables",
        "sv",
        "ps",
        "ping",
        "dig",
        "curl",
        "nc",
        "openssl",
        "tcpdump",
        "dnsmasq",
        "psql",
    ],
)
def test_a_program_is_there(program: str, container: str) -> None:
    assert said(container, f"command -v {program}").endswith(f"/{program}")


def test_the_nodes_python_packages_import_without_a_warning(container: str) -> None:
    modules = (
        "msgspec, h11, nacl.signing, uvicorn, starlette, python_multipart, psycopg, psycopg_pool, pyroute2, argon2"
    )
    assert said(container, f"/opt/miniepo/venv/bin/python -W error -c 'import {modules}; print(1)'") == "1"


def test_users_have_fixed_numbers_and_no_shell(container: str) -> None:
    for user, number in {"miniepo": 900, "mfeagent": 901, "cmamesh": 902}.items():
        assert said(container, f"getent passwd {user} | cut -d: -f3,6,7") == (
            f"{number}:/var/lib/miniepo:/usr/sbin/nologin"
        )


def test_nothing_secret_and_no_database_is_baked_in(container: str) -> None:
    left = "ls /etc/ssh/ssh_host_* /etc/ssl/private/* /var/lib/postgresql/*/main 2>/dev/null || true"
    assert said(container, left) == ""


def test_a_node_knows_no_source_of_packages(container: str) -> None:
    assert said(container, "cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true") == ""


def test_sshd_accepts_its_configuration(container: str) -> None:
    said(container, "ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key && /usr/sbin/sshd -t")


def test_saved_firewall_rules_are_back_after_a_restart(container: str) -> None:
    said(container, "mkdir -p /etc/iptables")
    for family, save in (("4", "iptables"), ("6", "ip6tables")):
        said(container, f"{save} -A INPUT -p tcp --dport 8081 -j DROP && {save}-save > /etc/iptables/rules.v{family}")
    subprocess.run(["docker", "restart", "--time", "0", container], check=True, capture_output=True)
    for save in ("iptables-save", "ip6tables-save"):
        kept = functools.partial(said, container, f"{save} | grep -e '--dport 8081 -j DROP' || true")
        until(lambda kept=kept: kept() or None, what=f"{save} tells of the rule", limit_seconds=30)


def test_the_fabric_runs_from_a_read_only_root() -> None:
    fabric = ensure_image("fabric")
    command = "import epolab_fabric.worker, pyroute2; print(open('/proc/mounts').read().split()[3][:2])"
    done = subprocess.run(
        ["docker", "run", "--rm", "--network=none", "--read-only", fabric.reference, "python3", "-c", command],
        capture_output=True,
        text=True,
    )
    assert (done.stdout.strip(), done.returncode) == ("ro", 0), done.stderr
