"""What is in the agent package."""

import io
import json
import subprocess
import tarfile
from importlib import resources
from pathlib import Path

import pytest

from miniepo.handler.agent_package import FQDN, SCRIPTS, agent_settings, build, read_and_build


def contents(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as packed:
        return {member.name: opened.read() for member in packed if (opened := packed.extractfile(member)) is not None}


def test_it_holds_the_release_the_scripts_and_the_files(tmp_path: Path) -> None:
    (tmp_path / "release/miniepo").mkdir(parents=True)
    (tmp_path / "release/miniepo/cli.py").write_text("x = 1\n")
    (tmp_path / "ca.pem").write_text("CA")
    (tmp_path / "lib").symlink_to("release")
    archive = read_and_build(str(tmp_path / "lib"), {"ca.pem": str(tmp_path / "ca.pem")}, {"SiteList.xml": b"<x/>"})
    found = contents(archive)
    assert set(found) == {*SCRIPTS, "release/miniepo/cli.py", "ca.pem", "SiteList.xml"}
    assert (found["release/miniepo/cli.py"], found["ca.pem"], found["SiteList.xml"]) == (b"x = 1\n", b"CA", b"<x/>")


def test_the_same_things_make_the_same_package(tmp_path: Path) -> None:
    assert build(tmp_path, {"a": b"1"}) == build(tmp_path, {"a": b"1"})


def test_the_agent_is_told_its_name_and_asks_the_host_for_the_full_one() -> None:
    settings = json.loads(agent_settings("pc-1", 5.0))
    assert (settings["computer_name"], settings["fqdn"], settings["asci_seconds"]) == ("pc-1", FQDN, 5.0)


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_is_one(name: str) -> None:
    text = resources.files("miniepo.handler").joinpath("package", name).read_bytes()
    assert text.startswith(b"#!/bin/sh\n")
    done = subprocess.run(["sh", "-n"], input=text, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
