"""What a lab's declaration needs beside its topology: whose it is, until when, and from which images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from epolab.model.node import Node


@dataclass(frozen=True, slots=True)
class LabSettings:
    """The same for every resource of a lab; `images` maps fabric, node (and vm) to references."""

    lab: str
    owner: str
    created: str
    expires: str | None
    images: Mapping[str, str]
    tun: bool
    drivers: Mapping[str, str]

    def image_of(self, node: Node) -> str:
        """The image a node runs."""
        return node.image or self.images["vm" if node.kind == "vm" else "node"]

    def shared_props(self) -> dict[str, str]:
        """What everything of the lab carries; the engine drops a null, so no expiry is an empty text."""
        return {"lab": self.lab, "owner": self.owner, "expires": self.expires or ""}
