"""The SuperAgent's repository: on and off by policy, changed by the server only."""

import asyncio
import hashlib
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from miniepo.agent.nonces import NonceMemory
from miniepo.agent.settings import Settings, SuperAgentSettings
from miniepo.protocol import signing
from miniepo.superagent.repository_role import RepositoryRole
from tests.unit.miniepo.standins import SetClock, request, state_directory

KEY = SigningKey(b"k" * 32)
PATH = "/Software/Current/DAT/a.gem"


def settings(folder: Path, enabled: bool = True, repository: bool = True) -> Settings:
    return Settings(60, 8591, superagent=SuperAgentSettings(enabled, repository, str(folder / "repository")))


def signature(method: str, path: str, body: bytes, nonce: str, key: SigningKey = KEY, at: float = 5000.0) -> str:
    digest = "-" if method == "DELETE" else hashlib.sha256(body).hexdigest()
    return signing.sign_request(method, path, digest, key, issued_at=at, nonce=nonce)


class Asked:
    """A role with the policy in force, asked by method and path."""

    def __init__(self, folder: Path) -> None:
        self.role = RepositoryRole(KEY.verify_key, NonceMemory(state_directory(folder)), SetClock(5000.0))
        self.file = folder / "repository/Current/DAT/a.gem"

    def status(self, method: str, path: str, body: bytes = b"", signed: str = "") -> int | None:
        asked = request(method, path, body, **{signing.SIGNATURE_HEADER: signed})
        answer = asyncio.run(self.role.handle(asked))
        return answer.status if answer else None


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    made = Asked(tmp_path)
    assert made.role.enforce(settings(tmp_path)) == ()
    return made


def test_the_server_puts_replaces_and_deletes(asked: Asked) -> None:
    for nonce, body in (("n1", b"first content"), ("n2", b"second")):
        assert asked.status("PUT", PATH, body, signature("PUT", PATH, body, nonce)) == 201
        assert asked.file.read_bytes() == body
    assert asked.status("GET", PATH) == 200
    assert asked.status("DELETE", PATH, signed=signature("DELETE", PATH, b"", "n3")) == 204
    assert asked.status("DELETE", PATH, signed=signature("DELETE", PATH, b"", "n4")) == 204, "gone is gone"
    assert asked.status("GET", PATH) == 404


def test_a_folder_goes_with_all_in_it(asked: Asked) -> None:
    asked.status("PUT", PATH, b"x", signature("PUT", PATH, b"x", "n1"))
    folder = "/Software/Current"
    assert asked.status("DELETE", folder, signed=signature("DELETE", folder, b"", "n2")) == 204
    assert not asked.file.parent.parent.exists()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "garbage",
        signature("PUT", PATH, b"body", "n", SigningKey(b"x" * 32)),
        signature("PUT", PATH, b"other", "n"),
        signature("PUT", PATH + "x", b"body", "n"),
        signature("DELETE", PATH, b"body", "n"),
        signature("PUT", PATH, b"body", "n", at=4699.0),
    ],
    ids=["none", "garbage", "other key", "other body", "other path", "other method", "old"],
)
def test_nobody_else_changes_anything(asked: Asked, header: str) -> None:
    assert asked.status("PUT", PATH, b"body", header) == 403
    assert not asked.file.exists()
    assert not asked.file.parent.exists() or list(asked.file.parent.iterdir()) == []


def test_a_captured_change_cannot_be_replayed(asked: Asked) -> None:
    header = signature("PUT", PATH, b"old", "n1")
    assert asked.status("PUT", PATH, b"old", header) == 201
    assert asked.status("PUT", PATH, b"new", signature("PUT", PATH, b"new", "n2")) == 201
    assert asked.status("PUT", PATH, b"old", header) == 403
    assert asked.file.read_bytes() == b"new"


def test_a_path_out_of_the_repository_is_refused_even_signed(asked: Asked) -> None:
    path = "/Software/../../agent.key"
    assert asked.status("PUT", path, b"x", signature("PUT", path, b"x", "n1")) == 403


def test_without_the_policy_there_is_no_repository(asked: Asked, tmp_path: Path) -> None:
    assert asked.role.properties() == {
        "SuperAgent.Enabled": "1",
        "SuperAgent.Repository": "1",
        "SuperAgent.Port": "8591",
    }
    asked.role.enforce(settings(tmp_path, enabled=True, repository=False))
    assert asked.role.active and asked.status("GET", PATH) is None
    asked.role.enforce(settings(tmp_path, enabled=False, repository=False))
    assert not asked.role.active and asked.role.properties() == {"SuperAgent.Enabled": "0"}


def test_a_folder_that_cannot_be_made_is_a_problem(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    bad = Settings(60, 8081, superagent=SuperAgentSettings(True, True, str(tmp_path / "file/below")))
    assert "Not a directory" in asked.role.enforce(bad)[0]
    assert not asked.role.active


def test_other_methods_and_other_paths(asked: Asked) -> None:
    assert asked.status("POST", PATH) == 405
    assert asked.status("GET", "/wakeup") is None
