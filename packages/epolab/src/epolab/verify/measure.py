"""The WAN certificate: every link measured from its two routers, judged, and stored with the lab."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Protocol

from epolab.errors import MeasureError
from epolab.hands.beside import beside
from epolab.hands.fabric import StreamOpener, open_fabric
from epolab.hands.link_probe import LinkEnd, opened_end
from epolab.hands.until import now, stamp
from epolab.model import facts
from epolab.model.link import Link
from epolab.model.topology import Topology
from epolab.provider.labels import fabric_container, node_container
from epolab.wan.document import certificate_entry, detail_document
from epolab.wan.driver import Driver, as_kept, driver_named
from epolab.wan.judge import Breach, Verdict, is_too_noisy, judge, noise_breach
from epolab.wan.measured import FIGURES, DirectionFigures, Figure, LinkFigures
from epolab.wan.plan import plan_link
from epolab.wan.survey import LinkSurvey

CERTIFICATE = "certificate"
# What breaks a bound on a noisy machine is measured again, three times at most.
TRIES = 4
# A plain link has no bound that something else than the machine breaks once in a while: it has to break it so often.
PLAIN_TRIES = 3
LINKS_AT_A_TIME = 4
# What costs a plain link next to nothing, and what floods it.
ECHOES: tuple[Figure, ...] = ("round_trips",)
FLOOD: tuple[Figure, ...] = ("loss",)
# The breach of a measurement that was not made.
UNMEASURED = "measurement"
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

    @property
    def plain(self) -> bool:
        """Whether the link was made without a shape."""
        return self.ends.driver.name == "none"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is known of a link after so many tries."""

    ready: Ready
    seen: LinkFigures
    verdict: Verdict
    tries: int = 1

    @property
    def in_doubt(self) -> bool:
        """Whether its breaches may be the machine's doing, and it may be measured again."""
        if self.verdict.within or any(breach.figure == UNMEASURED for breach in self.verdict.breaches):
            return False
        least = PLAIN_TRIES if self.ready.plain else 1
        return self.tries < (TRIES if is_too_noisy(self.seen, self.verdict) else least)


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


def _at_once() -> None:
    """Nothing is waited for."""


def measure_links(
    docker: StreamOpener, ends: Sequence[LinkEnds], out: Say, until_quiet: Callable[[], None] = _at_once
) -> list[Outcome]:
    """Measure links: plain ones first, because a flood beside them would be taken for their doing, then the shaped.

    All programs stand ready first, so that no start disturbs a measurement; the lines become quiet meanwhile, which
    `until_quiet` waits for. What is in doubt afterwards is measured again link by link, so that no measurement is the
    noise of another one.
    """
    with ExitStack() as stack, ThreadPoolExecutor(max_workers=LINKS_AT_A_TIME) as pool:
        quiet = beside(until_quiet)
        ready = list(pool.map(lambda it: _ready(docker, stack, it), ends))
        quiet.result()
        attempts = _try_plain(pool, [it for it in ready if it.plain], out)
        attempts += pool.map(lambda it: _try(it, out), [it for it in ready if not it.plain])
        return [_settled(it, out) for it in attempts]


def _try_plain(pool: Executor, ready: Sequence[Ready], out: Say) -> list[Attempt]:
    """Echoes side by side, which cost next to nothing, then the floods one by one."""
    echoed = list(pool.map(lambda it: _try(it, out, ECHOES), ready))
    return [_flooded(it) for it in echoed]


def _flooded(echoed: Attempt) -> Attempt:
    seen, verdict = _measure_once(echoed.ready, echoed.tries, FLOOD, echoed.seen)
    return Attempt(echoed.ready, noisier(seen, echoed.seen), verdict)


def noisier(seen: LinkFigures, other: LinkFigures) -> LinkFigures:
    """The figures with the noise of both times."""
    noise = [it.noise_ms for it in (seen, other) if it.noise_ms is not None]
    stalls = [it.stall_ms for it in (seen, other) if it.stall_ms is not None]
    return replace(seen, noise_ms=max(noise, default=None), stall_ms=max(stalls, default=None))


def _try(ready: Ready, out: Say, figures: Collection[Figure] = FIGURES) -> Attempt:
    out(f"measuring link {ready.ends.link.name}")
    return Attempt(ready, *_measure_once(ready, 1, figures))


def _settled(attempt: Attempt, out: Say) -> Outcome:
    """Measure a link until it keeps its bounds, or breaks them beyond doubt, or often enough."""
    ends, it = attempt.ready.ends, attempt
    while it.in_doubt:
        out(f"measuring link {ends.link.name} again ({it.tries} of {TRIES - 1}): {_words(it.verdict.doubtful)}")
        again = _measure_once(it.ready, it.tries + 1, it.verdict.doubtful, it.seen)
        it = Attempt(it.ready, *again, it.tries + 1)
    verdict = it.verdict
    if not verdict.within and is_too_noisy(it.seen, verdict):
        verdict = Verdict((*verdict.breaches, noise_breach(it.seen)))
    return Outcome(ends, it.seen, verdict, it.tries, stamp(now()))


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
    plan = plan_link(link, shaped=not ready.plain)
    try:
        survey = LinkSurvey(link, plan, *ready.programs, first_flow=attempt * FLOWS_OF_A_TRY)
        seen = survey.run(figures, earlier)
    except MeasureError as error:
        return _failed(error.message)
    return seen, judge(link, ends.driver, seen)


def _failed(reason: str) -> tuple[LinkFigures, Verdict]:
    breach = Breach(UNMEASURED, None, "figures from both ends", reason)
    return LinkFigures(DirectionFigures(), DirectionFigures()), Verdict((breach,))


def _merged(earlier: Document | None, outcomes: Sequence[Outcome]) -> Document:
    certificate: Document = {"links": {}, "details": {}} if earlier is None else earlier
    for it in outcomes:
        name = it.ends.link.name
        certificate["links"][name] = certificate_entry(it.ends.link, it.ends.driver, it.seen, it.verdict, it.at)
        certificate["details"][name] = detail_document(it.seen, it.verdict, it.tries)
    return certificate
