"""The way into a node."""

import pytest

from epolab.hands.files import LabFolder
from epolab.hands.ssh import ssh_argv, write_config


@pytest.fixture(name="folder")
def folder_fixture(tmp_path):
    return LabFolder(tmp_path / "lab").make()


def test_the_way_leads_over_the_runtime_and_checks_the_host_key(folder):
    argv = ssh_argv(folder, "lab.hq.pc-1", "container", ["ls", "a b"])
    assert "ProxyCommand=docker exec -i lab.hq.pc-1 /usr/sbin/sshd -i" in argv
    assert "StrictHostKeyChecking=yes" in argv
    assert argv[-2:] == ["root@lab.hq.pc-1", "ls 'a b'"]


def test_one_word_is_a_line_for_the_shell(folder):
    assert ssh_argv(folder, "c", "container", ["ls | wc"])[-1] == "ls | wc"


def test_without_a_command_it_is_a_shell_on_a_terminal(folder):
    argv = ssh_argv(folder, "c", "container", [], terminal=True)
    assert argv[-2:] == ["-t", "root@c"]


def test_the_configuration_names_nodes_by_site_and_name(folder):
    write_config(folder, {"hq/pc-1": {"container": "lab.hq.pc-1", "kind": "container"}})
    text = (folder.path / "ssh/config").read_text()
    assert text.startswith("Host hq.pc-1\n  HostName lab.hq.pc-1\n  User root\n")
    assert f"  IdentityFile {folder.path}/ssh/id_ed25519\n" in text
