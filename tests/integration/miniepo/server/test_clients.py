"""Published clients use the Web API as they are (domain §8)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import mcafee_epo
import pytest
import requests
from field import until
from managed import PASSWORD, Managed, open_managed

from miniepo import config

pytestmark = pytest.mark.integration


@pytest.fixture
def managed(tmp_path: Path, database: config.Database) -> Iterator[Managed]:
    with open_managed(tmp_path, database) as made:
        made.server()
        yield made


@pytest.fixture
def client(managed: Managed) -> Iterator[mcafee_epo.Client]:
    with requests.Session() as session:
        session.trust_env = False  # a CA bundle in the environment would take precedence over the next line
        session.verify = str(managed.field.authority.ca)
        yield mcafee_epo.Client(f"https://localhost:{managed.console_port}", "admin", PASSWORD, session)


def test_mcafee_epo_finds_its_way(managed: Managed, client: mcafee_epo.Client) -> None:
    managed.field.handler("hq/epo")
    managed.field.agent("pc-1")
    assert client("epo.getVersion") == "5.9.1"
    row = until(lambda: client("system.find", "pc-1"), what="the agent enrols")[0]
    assert row["EPOComputerProperties.ComputerName"] == "pc-1" and row["EPOLeafNode.ManagedState"] == 1
    assert any(line.startswith("system.wakeupAgent ") for line in client("core.help"))
    groups = client("system.findGroups")
    assert {"groupId": 3, "groupPath": "My Organization\\Lost&Found"} in groups


def test_mcafee_epo_uploads_a_package(client: mcafee_epo.Client) -> None:
    words = {"branch": "Current", "product": "PROBE", "type": "Install", "version": "1"}
    client("repository.checkInPackage", files={"packageLocation": ("probe.bin", io.BytesIO(b"x" * 1000))}, **words)
    packages = client("repository.findPackages", "PROBE")
    assert [(each["packageId"], each["packageTotalSize"]) for each in packages] == [
        ("PROBE_Current_Install_0000_1", "1000")
    ]


def test_mcafee_epo_learns_of_errors(client: mcafee_epo.Client) -> None:
    with pytest.raises(mcafee_epo.APIError, match=r"Error 1 :"):
        client("no.suchCommand")


def test_a_client_that_waits_for_the_challenge_gets_one(managed: Managed) -> None:
    url = f"https://localhost:{managed.console_port}/remote/epo.getVersion.do?&:output=terse"
    ca = str(managed.field.authority.ca)
    refused = requests.get(url, verify=ca, timeout=10)
    assert refused.status_code == 401 and refused.headers["WWW-Authenticate"].startswith("Basic ")
    wrong = requests.get(url, verify=ca, auth=("admin", "wrong"), timeout=10)
    assert wrong.status_code == 401
    answer = requests.get(url, verify=ca, auth=("admin", PASSWORD), timeout=10)
    assert answer.content == b"OK:\r\n5.9.1"
