"""The WAN certificate: every link measured from its two routers, judged, and stored with the lab."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

from epolab.errors import MeasureError
from epolab.hands.fabric import StreamOpener, open_fabric
from epolab.hands.link_probe import LinkEnd, opened_end
from epolab.hands.until import now, stamp
from epolab.model import facts
from epolab.model.link import Link
from epolab.model.topology import Topology
from epolab.provider.labels import fabric_container, node_container
from epolab.wan.document import certificate_entry, detail_document
from epolab.wan.driver import Driver, as_kept, driver_named
from epolab.wan.judge import Breach, Verdict, is_too_noisy, judge
from epolab.wan.measured import FIGURES, DirectionFigures, Figure, LinkFigures
from epolab.wan.plan import plan_link
from epolab.wan.survey import LinkSurvey

CERTIFICATE = "certificate"
# What breaks a bound on a noisy machine is measured again, three times at most.
TRIES = 4
LINKS_AT_A_TIME = 4
# Flows are numbered, so that what comes late is not taken for a part of the next one.
FLOWS_OF_A_TRY = 10

Document = dict[str, Any]
Say = Callable[[str], None]


class Folder(Protocol):
    """Where the lab's documents are kept on this host."""

    @property
    def name(self) -> str:
        """The lab's name."""

    def read_json(self, name: str) -> Any:
        """A document, or None."""

    def write_json(self, name: str, value: Any) -> None:
        """Replace a document."""


@dataclass(frozen=True, slots=True)
class LinkEnds:
    """A link with its driver, and the containers and link addresses of its two routers."""

    link: Link
    driver: Driver
    containers: tuple[str, str]
    addresses: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Ready:
    """A link whose two programs stand ready, or why they do not."""

    ends: LinkEnds
    programs: tuple[LinkEnd, LinkEnd] | None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of measuring one link."""

    ends: LinkEnds
    seen: LinkFigures
    verdict: Verdict
    tries: int
    at: str


def measure(
    topology: Topology, lab: Folder, docker: StreamOpener, out: Say, only: Collection[str] | None = None
) -> Document:
    """Measure all links, or those named, and store the certificate: {"links": {name: …}, "details": {name: …}}."""
    with open_fabric(docker, fabric_container(lab.name)) as fabric:
        applied = fabric.call("link_state")
        wanted = [link for link in topology.links if only is None or link.name in only]
        ends = [ends_of(topology, lab.name, link, applied) for link in wanted]
        outcomes = measure_links(docker, ends, out)
        certificate = _merged(lab.read_json(f"{CERTIFICATE}.json") if only is not None else None, outcomes)
        fabric.call("document_write", name=CERTIFICATE, value=certificate)
    lab.write_json(f"{CERTIFICATE}.json", certificate)
    return certificate


def ends_of(topology: Topology, lab: str, link: Link, applied: Mapping[str, Any]) -> LinkEnds:
    """Where to measure a link, and the driver that the fabric made it with."""
    if link.name not in applied:
        raise MeasureError(f"link {link.name} is not laid", hint="epolab up")
    routers = [facts.router(topology, site) for site in link.ends]
    containers = [node_container(lab, router.path) for router in routers]
    addresses = [next(str(it.ipv4.ip) for it in router.interfaces if it.link == link.name) for router in routers]
    driver = driver_named(applied[link.name]["driver"])
    return LinkEnds(link, driver, (containers[0], containers[1]), (addresses[0], addresses[1]))


def measure_links(docker: StreamOpener, ends: Sequence[LinkEnds], out: Say) -> list[Outcome]:
    """Measure links side by side; all programs stand ready first, so that no start disturbs a measurement."""
    with ExitStack() as stack, ThreadPoolExecutor(max_workers=LINKS_AT_A_TIME) as pool:
        ready = list(pool.map(lambda it: _ready(docker, stack, it), sorted(ends, key=lambda it: not it.link.shaped)))
        return list(pool.map(lambda it: measure_link(it, out), ready))


def measure_link(ready: Ready, out: Say) -> Outcome:
    """Measure one link until it keeps its bounds, or breaks them on a quiet machine, or three times."""
    name, tries = ready.ends.link.name, 1
    out(f"measuring link {name}")
    seen, verdict = _measure_once(ready, tries)
    while not verdict.within and is_too_noisy(seen) and tries < TRIES:
        out(f"measuring link {name} again ({tries} of {TRIES - 1}): {_words(verdict.doubtful)}")
        tries += 1
        seen, verdict = _measure_once(ready, tries, verdict.doubtful, seen)
    if not verdict.within and is_too_noisy(seen):
        noise = Breach("scheduling noise of this machine", None, "a quiet machine", f"{seen.noise_ms:.1f} ms")
        verdict = Verdict((*verdict.breaches, noise))
    return Outcome(ready.ends, seen, verdict, tries, stamp(now()))


def _ready(docker: StreamOpener, stack: ExitStack, ends: LinkEnds) -> Ready:
    programs = []
    try:
        for container, address in zip(ends.containers, ends.addresses, strict=True):
            programs.append(stack.enter_context(opened_end(docker, container, address)))
    except MeasureError as error:
        return Ready(ends, None, error.message)
    return Ready(ends, (programs[0], programs[1]))


def _words(figures: Collection[Figure]) -> str:
    return ", ".join(figures).replace("_", " ")


def _measure_once(
    ready: Ready, attempt: int, figures: Collection[Figure] = FIGURES, earlier: LinkFigures | None = None
) -> tuple[LinkFigures, Verdict]:
    if ready.programs is None:
        return _failed(ready.failure)
    ends = ready.ends
    link = as_kept(ends.link, ends.driver)
    plan = plan_link(link, shaped=ends.driver.name != "none")
    try:
        survey = LinkSurvey(link, plan, *ready.programs, first_flow=attempt * FLOWS_OF_A_TRY)
        seen = survey.run(figures, earlier)
    except MeasureError as error:
        return _failed(error.message)
    return seen, judge(link, ends.driver, seen)


def _failed(reason: str) -> tuple[LinkFigures, Verdict]:
    breach = Breach("measurement", None, "figures from both ends", reason)
    return LinkFigures(DirectionFigures(), DirectionFigures()), Verdict((breach,))


def _merged(earlier: Document | None, outcomes: Sequence[Outcome]) -> Document:
    certificate: Document = {"links": {}, "details": {}} if earlier is None else earlier
    for it in outcomes:
        name = it.ends.link.name
        certificate["links"][name] = certificate_entry(it.ends.link, it.ends.driver, it.seen, it.verdict, it.at)
        certificate["details"][name] = detail_document(it.seen, it.verdict, it.tries)
    return certificate
