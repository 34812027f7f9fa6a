"""The certificate over a lab whose containers answer from a book."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from epolab.errors import MeasureError
from epolab.hands.fabric import ExecStream
from epolab.hands.files import LabFolder
from epolab.model import facts
from epolab.model.topology import Topology
from epolab.topology import load_topology
from epolab.verify.measure import PLAIN_TRIES, TRIES, ends_of, measure, measure_links, noisier
from epolab.wan.measured import DirectionFigures, LinkFigures

TEXT = """
epolab: 1
name: pair
sites:
  hq: {nodes: {epo: {components: [server, sql]}}}
  near: {nodes: {pc: {components: [agent]}}}
  far: {nodes: {pc-far: {components: [agent]}}}
wan:
  - between: [hq, near]
  - {between: [hq, far], delay: 10ms}
"""


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    file = tmp_path / "pair.yaml"
    file.write_text(TEXT)
    return load_topology(file)


class Lines:
    """A stream that answers each line by a function; None ends it."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self._lines: list[bytes] = []

    def write(self, data: bytes) -> None:
        for line in data.splitlines() if data.startswith(b"{") else []:
            said = self._answer(json.loads(line))
            self._lines.append(b"" if said is None else json.dumps(said).encode() + b"\n")

    def read_line(self, limit_seconds: float | None = None) -> bytes:
        return self._lines.pop(0)

    def complaint(self) -> str:
        return "gone"

    def close(self) -> None:
        pass


class BookLab:
    """The fabric and the routers of a lab; `delay_ms` each way, and how late the machine wakes up.

    `drops` are the numbers of the floods (from 0) of which the router of the site `near` misses a datagram.
    """

    def __init__(
        self,
        delay_ms: float = 10.0,
        noise_ms: float = 0.1,
        dead: str = "",
        stall_ms: float = 1.0,
        drops: Sequence[int] = (),
        echo_noise_ms: float = 0.0,
    ) -> None:
        self._delay_ns, self._noise_ms, self._dead = int(delay_ms * 1e6), noise_ms, dead
        self._stall_ms, self._drops, self._echo_noise_ms = stall_ms, set(drops), echo_noise_ms
        self._floods: dict[str, int] = {}
        self.asked: list[tuple[str, str]] = []
        self.stored: Any = None
        self.links = {"hq-near": {"driver": "none"}, "hq-far": {"driver": "cable"}}

    def exec_stream(self, name: str, argv: Sequence[str]) -> ExecStream:
        if name == "pair.fabric":
            return Lines(self._fabric)
        return Lines(partial(self._router, name) if name != self._dead else lambda _: None)

    def _fabric(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["op"] == "document_write":
            self.stored = request["args"]
        return {"id": request["id"], "ok": True, "result": self.links}

    def _router(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((name, request.get("op", "")))
        noise_ms = max(self._noise_ms, self._echo_noise_ms if request.get("op") == "round_trips" else 0.0)
        late = {"p99_ms": noise_ms, "max_ms": self._stall_ms, "sample": request.get("count", 200)}
        trip = (2 * self._delay_ns, self._delay_ns, self._delay_ns)
        expect = request.get("expect", 0)
        figures = {
            "received": expect - self._lost(name, request),
            "pairs": 0,
            "pair_ns": 0,
            "spread_ns": 0,
            "delays_ns": [],
        }
        series = [trip] * request.get("count", 0)
        result = {"series": series, "sent": len(series), "arrivals": figures, "oversleep": late}
        return {"ok": True, "result": result}

    def _lost(self, name: str, request: dict[str, Any]) -> int:
        if request.get("op") != "flow":
            return 0
        number, self._floods[name] = self._floods.get(name, 0), self._floods.get(name, 0) + 1
        return int(number in self._drops and name == "pair.near.router")


def said(lab: BookLab, topology: Topology, link: str) -> tuple[list[str], list[str], int]:
    """What was said to people, the breaches, and how often the link was measured."""
    heard: list[str] = []
    ends = [ends_of(topology, "pair", it, lab.links) for it in topology.links if it.name == link]
    (outcome,) = measure_links(lab, ends, heard.append)
    return heard, [breach.text for breach in outcome.verdict.breaches], outcome.tries


def test_a_link_is_measured_between_its_routers_on_their_link_addresses(topology: Topology) -> None:
    link = next(it for it in topology.links if it.name == "hq-far")
    ends = ends_of(topology, "pair", link, BookLab().links)
    assert ends.containers == ("pair.hq.router", "pair.far.router")
    routers = [facts.router(topology, site) for site in link.ends]
    held = [str(it.ipv4.ip) for router in routers for it in router.interfaces if it.link == "hq-far"]
    assert list(ends.addresses) == held


def test_a_link_that_is_not_laid_is_told(topology: Topology) -> None:
    with pytest.raises(MeasureError, match="hq-near is not laid"):
        ends_of(topology, "pair", topology.links[0], {})


def test_the_certificate_is_stored_with_the_lab_and_in_its_fabric(topology: Topology, tmp_path: Path) -> None:
    lab, folder = BookLab(), LabFolder(tmp_path / "pair").make()
    certificate = measure(topology, folder, lab, lambda _: None)
    assert folder.read_json("certificate.json") == certificate
    assert lab.stored == {"name": "certificate", "value": certificate}
    within = {name: entry["within"] for name, entry in certificate["links"].items()}
    assert within == {"hq-near": False, "hq-far": True}  # both hold up 10 ms, and only one of them should
    assert certificate["links"]["hq-far"]["a_to_b"]["delay_ms"] == 10.0


def test_one_link_measured_anew_leaves_the_others_as_they_were(topology: Topology, tmp_path: Path) -> None:
    folder = LabFolder(tmp_path / "pair").make()
    before = measure(topology, folder, BookLab(), lambda _: None)["links"]["hq-near"]
    after = measure(topology, folder, BookLab(delay_ms=15.0), lambda _: None, only=["hq-far"])
    assert after["links"]["hq-near"] == before
    assert after["links"]["hq-far"]["within"] is False


def test_a_plain_link_is_asked_for_what_it_may_not_do(topology: Topology) -> None:
    assert said(BookLab(delay_ms=0.05), topology, "hq-near")[1:] == ([], 1)
    _, breaches, tries = said(BookLab(delay_ms=500.0), topology, "hq-near")
    assert tries == PLAIN_TRIES
    assert "mean round trip: 0.00 ± 0.50 ms, not 1000.00 ms" in breaches


def test_a_plain_link_is_measured_again_on_a_noisy_machine(topology: Topology) -> None:
    _, breaches, tries = said(BookLab(delay_ms=0.6, noise_ms=7.0), topology, "hq-near")
    assert tries == TRIES
    assert breaches[-1] == "scheduling noise of this machine: a quiet machine, not 7.0 ms, at worst 1.0 ms"


def test_a_plain_links_noise_is_that_of_its_echoes_and_of_its_flood(topology: Topology, tmp_path: Path) -> None:
    lab, folder = BookLab(delay_ms=0.05, echo_noise_ms=0.3), LabFolder(tmp_path / "pair").make()
    assert measure(topology, folder, lab, lambda _: None)["links"]["hq-near"]["noise_ms"] == 0.3


def test_a_datagram_that_a_plain_link_loses_once_is_no_breach(topology: Topology) -> None:
    lab = BookLab(delay_ms=0.05, drops=[0])
    heard, breaches, tries = said(lab, topology, "hq-near")
    assert (breaches, tries) == ([], 2)
    assert heard[-1] == "measuring link hq-near again (1 of 3): loss"
    assert said(BookLab(delay_ms=0.05, drops=[0, 1]), topology, "hq-near")[1:] == ([], 3)


def test_a_plain_link_that_loses_each_time_breaks_its_promise(topology: Topology) -> None:
    _, breaches, tries = said(BookLab(delay_ms=0.05, drops=range(9)), topology, "hq-near")
    assert (breaches, tries) == (["loss a_to_b: 0.000%, not 1 of 2000 (0.050%)"], PLAIN_TRIES)


def test_plain_links_are_done_before_a_shaped_one_is_begun(topology: Topology) -> None:
    lab, heard = BookLab(delay_ms=0.05), list[str]()
    measure_links(lab, [ends_of(topology, "pair", it, lab.links) for it in reversed(topology.links)], heard.append)
    assert heard == ["measuring link hq-near", "measuring link hq-far"]
    near, far = (
        [at for at, (name, op) in enumerate(lab.asked) if op and name == f"pair.{site}.router"]
        for site in ("near", "far")
    )
    assert max(near) < min(far)


def test_a_stall_that_no_percentile_shows_is_measured_again(topology: Topology) -> None:
    _, breaches, tries = said(BookLab(delay_ms=15.0, stall_ms=20.0), topology, "hq-far")
    assert tries == TRIES
    assert breaches[-1] == "scheduling noise of this machine: a quiet machine, not 0.1 ms, at worst 20.0 ms"


def test_a_breach_on_a_quiet_machine_is_final(topology: Topology) -> None:
    _, breaches, tries = said(BookLab(delay_ms=15.0), topology, "hq-far")
    assert tries == 1
    assert breaches[0] == "delay a_to_b: 10 ± 0.50 ms, not 15.00 ms"


def test_a_breach_on_a_noisy_machine_is_measured_again_and_then_names_the_noise(topology: Topology) -> None:
    heard, breaches, tries = said(BookLab(delay_ms=15.0, noise_ms=7.0), topology, "hq-far")
    assert tries == TRIES
    assert breaches[-1] == "scheduling noise of this machine: a quiet machine, not 7.0 ms, at worst 1.0 ms"
    assert "measuring link hq-far again (3 of 3): round trips" in heard


def test_noise_alone_breaks_nothing(topology: Topology) -> None:
    assert said(BookLab(noise_ms=7.0), topology, "hq-far")[1:] == ([], 1)


@pytest.mark.parametrize("site", ["far", "near"])
def test_a_router_that_does_not_answer_is_a_breach_and_not_a_crash(topology: Topology, site: str) -> None:
    _, breaches, tries = said(BookLab(dead=f"pair.{site}.router"), topology, f"hq-{site}")
    assert tries == 1
    assert breaches == [f"measurement: figures from both ends, not pair.{site}.router: the measuring program ended"]


def test_the_noise_of_two_times_is_that_of_the_worse_one() -> None:
    nothing = DirectionFigures()
    calm, rough = LinkFigures(nothing, nothing, noise_ms=0.1, stall_ms=9.0), LinkFigures(nothing, nothing, noise_ms=0.7)
    both = noisier(calm, rough)
    assert (both.noise_ms, both.stall_ms) == (0.7, 9.0)
    assert noisier(LinkFigures(nothing, nothing), LinkFigures(nothing, nothing)).noise_ms is None
