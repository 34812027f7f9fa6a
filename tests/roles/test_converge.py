"""The roles, each on a real node: they converge, the second time nothing changes, and what somebody broke is mended."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from epolab.deploy import DeployReport, deploy
from epolab.deploy.inventory import roles_of
from epolab.deploy.secrets import Secrets
from epolab.hands.files import LabFolder
from epolab.model import Topology
from epolab.topology import load_topology

FILE = Path(__file__).parent / "all_roles.yaml"
ROLES = Path(__file__).parents[2] / "roles"
EPOLAB = Path(sys.executable).parent / "epolab"

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Field:
    """A lab whose nodes are wired, and what the first deployment of them said."""

    topology: Topology
    folder: LabFolder
    first: DeployReport

    def deploy(self) -> DeployReport:
        return deploy(self.topology, self.folder, force=True)

    def on(self, path: str, command: str) -> str:
        """What a command says on a node; it must succeed."""
        container = self.folder.read_json("nodes.json")[path]["container"]
        done = subprocess.run(
            ["docker", "exec", container, "sh", "-c", command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{path}: {command}: {done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    home, name = tmp_path_factory.mktemp("home"), f"roles-{os.getpid()}"
    environment = os.environ | {"EPOLAB_HOME": str(home)}
    up = [EPOLAB, "up", str(FILE), "--name", name, "--no-deploy"]
    try:
        subprocess.run(up, env=environment, check=True, capture_output=True, timeout=500)
        topology, folder = load_topology(FILE), LabFolder(home / "labs" / name)
        yield Field(topology, folder, deploy(topology, folder))
    finally:
        subprocess.run([EPOLAB, "down", name], env=environment, check=True, capture_output=True, timeout=120)


def test_every_role_is_among_them(field: Field) -> None:
    applied = {role for node in field.topology.nodes for role in roles_of(node)} | {"management", "agent", "swarm"}
    assert applied == {path.name for path in ROLES.iterdir()}


def test_all_nodes_change_the_first_time(field: Field) -> None:
    assert set(field.first.ran) == set(field.first.changed) == {node.path for node in field.topology.nodes}


def test_nothing_changes_the_second_time(field: Field) -> None:
    again = field.deploy()
    assert len(again.ran) == len(field.topology.nodes)
    assert again.changed == ()


def test_a_node_whose_inputs_are_the_same_is_skipped(field: Field) -> None:
    report = deploy(field.topology, field.folder)
    assert report.ran == ()
    assert report.seconds < 5


def test_the_lab_s_names_resolve_in_both_families_and_back(field: Field) -> None:
    assert field.on("branch/relay", "dig +short epo.hq.test A").strip() == str(field.topology.node("hq/epo").ipv4)
    assert field.on("branch/relay", "dig +short epo.hq.test AAAA").strip() == str(field.topology.node("hq/epo").ipv6)
    vendor = field.topology.node("hq/vendor")
    assert field.on("hq/epo", "dig +short update.nai.com A").strip() == str(vendor.ipv4)
    assert field.on("hq/epo", f"dig +short -x {vendor.ipv6}").strip().startswith("vendor.hq.test.")


def test_the_server_is_trusted_by_name_in_both_families(field: Field) -> None:
    for family in ("-4", "-6"):
        status = field.on(
            "branch/handler", f"curl {family} -s -o /dev/null -w '%{{http_code}}' https://epo.hq.test:8443/"
        )
        assert status.isdigit()


def test_only_the_handlers_reach_the_database(field: Field) -> None:
    field.on("hq/epo", "nc -z -w 2 sql.hq.test 5432")
    field.on("branch/handler", "nc -z -w 2 sql.hq.test 5432")
    field.on("hq/vendor", "! nc -z -w 1 sql.hq.test 5432")
    assert "epo" in field.on("hq/sql", "chpst -u postgres psql -Atc 'SELECT datname FROM pg_database'").split()
    assert field.on("hq/sql", "chpst -u postgres psql -Atc 'SHOW fsync'").strip() == "on"


def test_only_the_handlers_reach_the_servers_authenticated_port(field: Field) -> None:
    field.on("branch/handler", "nc -z -w 2 epo.hq.test 8444")
    field.on("hq/vendor", "! nc -z -w 1 epo.hq.test 8444")
    modes = field.on(
        "branch/handler", "stat -c '%U %a' /etc/miniepo/tls/datachannel.pem /etc/miniepo/tls/datachannel.key"
    )
    assert set(modes.splitlines()) == {"miniepo 600"}


def test_a_secret_is_readable_for_its_user_alone(field: Field) -> None:
    modes = field.on("hq/epo", "cd /etc/miniepo && stat -c '%U %a' keys/*.key keys/*.password tls/node.key")
    assert set(modes.splitlines()) == {"miniepo 400"}
    assert field.on("branch/relay", "stat -c '%U %a' /etc/miniepo/tls/agent.key").strip() == "mfeagent 400"


def test_no_secret_is_in_what_ansible_wrote(field: Field) -> None:
    log = (field.folder.path / "logs" / "deploy.log").read_text()
    secrets = Secrets(field.folder.path / "secrets")
    held = [secrets.enrolment_key, secrets.password("db"), secrets.password("admin"), secrets.signing_key("assc")]
    assert [path.name for path in held if path.read_text().strip() in log] == []
    assert not (field.folder.path / "ansible").exists()


def test_the_relay_process_is_down_and_the_agents_to_start(field: Field) -> None:
    listed = field.on("branch/relay", "cd /etc/sv/cmamesh && ls down && stat -c %U supervise/control")
    assert listed.split() == ["down", "mfeagent"]


def test_only_cmamesh_completes_a_handshake_on_the_relay_port(field: Field) -> None:
    relay = field.topology.node("branch/relay")
    field.on("branch/relay", "sv -w 20 down cmdagent cmamesh")
    try:
        # the rule judges what leaves, so the loopback shows it as well as the wire does
        for family, address in ((4, relay.ipv4), (6, relay.ipv6)):
            knock = f"nc -{family} -l 8083 >/dev/null & sleep 0.5; nc -z -w 1 {address} 8083"
            field.on("branch/relay", f"chpst -u cmamesh {knock}")
            field.on("branch/relay", f"chpst -u mfeagent {knock}; refused=$?; kill $!; test $refused = 1")
    finally:
        field.on("branch/relay", "sv up cmdagent")


def test_what_somebody_broke_is_mended_on_that_node_alone(field: Field) -> None:
    field.on("branch/relay", "iptables -D INPUT 4; ip6tables -P INPUT ACCEPT; ip6tables -F INPUT")
    assert field.deploy().changed == ("branch/relay",)
    field.on("hq/epo", "echo x >> /etc/miniepo/tls/node.pem")
    assert field.deploy().changed == ("hq/epo",)


def test_rules_come_back_with_the_node(field: Field) -> None:
    for family, program in (("v4", "iptables"), ("v6", "ip6tables")):
        field.on("branch/relay", f"{program} -F && {program}-restore < /etc/iptables/rules.{family}")
        rules = field.on("branch/relay", f"{program} -S INPUT").splitlines()
        assert rules[-1].endswith('"nothing else comes in" -j DROP')
        assert any("--dport 8081" in rule for rule in rules[:-1])
