"""The lab's ssh keys: one for whoever comes, one for every node's door; made once, kept in the lab's folder."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from epolab.hands.files import LabFolder, write_private


@dataclass(frozen=True, slots=True)
class LabKeys:
    """Key files as OpenSSH has them."""

    client_public: bytes
    host_private: bytes
    host_public: bytes


def _make_pair(folder: LabFolder, name: str) -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) + b" epolab\n"
    write_private(folder.path / "ssh" / f"{name}.pub", public)
    write_private(folder.path / "ssh" / name, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))


def ensure_keys(folder: LabFolder) -> LabKeys:
    """The lab's keys, made if they are not there; safe against several at once."""
    with folder.make().lock("keys", wait_seconds=30):
        for name in ("id_ed25519", "host_ed25519"):
            if not (folder.path / "ssh" / name).exists():
                _make_pair(folder, name)
        keys = read_keys(folder)
        known = folder.path / "ssh" / "known_hosts"
        line = b"* " + keys.host_public
        if not known.exists() or known.read_bytes() != line:
            write_private(known, line)
    return keys


def read_keys(folder: LabFolder) -> LabKeys:
    """The lab's keys, which must be there."""
    ssh = folder.path / "ssh"
    return LabKeys(
        client_public=(ssh / "id_ed25519.pub").read_bytes(),
        host_private=(ssh / "host_ed25519").read_bytes(),
        host_public=(ssh / "host_ed25519.pub").read_bytes(),
    )
