"""Implementations of miniepo's small protocols that tests hold in their hands."""

from collections.abc import Sequence
from pathlib import Path

from miniepo.agent.settings import Settings
from miniepo.agent.state import StateDirectory
from miniepo.config import AgentConfig
from miniepo.protocol import sitelist
from miniepo.protocol.sitelist import Site, SiteList
from miniepo.wire.http_request import Request
from miniepo.wire.http_response import Response


class SetClock:
    """A clock that stands where it is put."""

    def __init__(self, at: float = 1_000_000.0) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class CountingEntropy:
    """Nonces and GUIDs in order; `uniform` gives the upper end."""

    def __init__(self) -> None:
        self._count = 0

    def nonce(self) -> str:
        self._count += 1
        return f"nonce-{self._count}"

    def guid(self) -> str:
        self._count += 1
        return f"GUID-{self._count}"

    def uniform(self, low: float, high: float) -> float:
        return high


class ListedRole:
    """A role that notes what it was told and fails when asked to."""

    name = "listed"

    def __init__(self, problems: Sequence[str] = ()) -> None:
        self.problems = tuple(problems)
        self.seen: list[Settings] = []

    @property
    def active(self) -> bool:
        return bool(self.seen) and not self.problems

    def enforce(self, settings: Settings) -> tuple[str, ...]:
        self.seen.append(settings)
        return self.problems

    def properties(self) -> dict[str, str]:
        return {"Listed.Enabled": "1" if self.active else "0"}

    async def handle(self, request: Request) -> Response | None:
        return Response(200, b"mine") if request.path == "/listed" else None


HANDLER = Site("SpipeSite", "ePO_EPO", "master", 1, "epo.hq.test", 80, "10.1.0.10", "fd00:1::10", "epo", 443)
SECOND = Site("SpipeSite", "ePO_AH", "master", 2, "ah.dmz.test", 80, "10.2.0.10", "fd00:2::10", "ah", 443)
SUPERAGENT = Site("SuperAgentSite", "ePOSA_SA", "repository", 3, "sa.tokyo.test", 8081, "10.3.0.10", "fd00:3::10")


def sitelist_text(*sites: Site) -> str:
    return sitelist.write(SiteList("EPO", "v1", sites or (HANDLER, SECOND, SUPERAGENT)))


def agent_config(folder: Path) -> AgentConfig:
    return AgentConfig(
        computer_name="pc-1",
        fqdn="pc-1.tokyo.test",
        state_dir=str(folder / "state"),
        sitelist=str(folder / "SiteList.xml"),
        repository=str(folder / "repository"),
        relay_control=str(folder / "sv/cmamesh"),
        asci_seconds=60,
    )


def state_directory(folder: Path) -> StateDirectory:
    (folder / "SiteList.xml").write_text(sitelist_text())
    return StateDirectory(folder / "state", folder / "SiteList.xml", CountingEntropy())


def request(method: str, path: str, body: bytes = b"", peer: str = "10.1.0.10", **headers: str) -> Request:
    """A request whose body comes in pieces of seven bytes."""
    rest = [body[start : start + 7] for start in range(0, len(body), 7)]

    async def pieces() -> bytes | None:
        return rest.pop(0) if rest else None

    return Request(method, path, "", {name.lower().replace("_", "-"): headers[name] for name in headers}, peer, pieces)
