"""Promise `replication`: content reaches every repository once and whole, and agents of its segment take it there."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from epolab.model import facts
from epolab.model.topology import Topology
from epolab.verify.agents import status
from epolab.verify.broken import expect, expect_all
from epolab.verify.content import (
    FOLDER,
    PRODUCT,
    ROOT,
    Package,
    check_in_random,
    differences,
    hashes,
    only_our_content,
    replicate,
    users_of,
    wan_bytes,
)
from epolab.verify.witness import Witness

DISTURBS = True
PACKAGE_BYTES = 1_000_000
SMALL_BYTES = 100_000
# TCP/IP and TLS around the content, the catalogs that change with it, and the agents' own calls meanwhile
OVERHEAD = 1.5
CATALOGS_BYTES = 100_000
UPDATE = "runuser -u mfeagent -- miniepo ctl update"


@dataclass
class Course:
    """What happened on the lines, in bytes by site, while a package, then nothing, then a small one was replicated."""

    package: Package
    done: dict[str, bool]
    crossed: dict[str, dict[str, int]] = field(default_factory=dict)
    hashes: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    updates: dict[str, dict[str, Any]] = field(default_factory=dict)
    complaints: dict[str, str] = field(default_factory=dict)


class Counter:
    """Bytes that came into each site with a repository since the last look."""

    def __init__(self, witness: Witness, sites: list[str]) -> None:
        self._witness = witness
        self._sites = sites
        self._before = self._read()

    def _read(self) -> dict[str, int]:
        return {site: wan_bytes(self._witness, site) for site in self._sites}

    def since(self) -> dict[str, int]:
        now = self._read()
        grown = {site: now[site] - self._before[site] for site in self._sites}
        self._before = now
        return grown


@pytest.fixture(scope="module", name="course")
def course_fixture(witness: Witness, topology: Topology) -> Iterator[Course]:
    """The whole course of a replication, observed once for all checks."""
    repositories = facts.repositories(topology)
    with only_our_content(witness):
        before = replicate(witness)
        counter = Counter(witness, sorted({node.site for node in repositories}))
        course = Course(check_in_random(witness, PACKAGE_BYTES), {"before": before})
        observe(witness, course, "package")
        update_agents(witness, course)
        course.crossed["package"] = counter.since()
        course.done["nothing"] = replicate(witness)
        course.crossed["nothing"] = counter.since()
        check_in_random(witness, SMALL_BYTES)
        observe(witness, course, "small")
        course.crossed["small"] = counter.since()
        yield course


def observe(witness: Witness, course: Course, what: str) -> None:
    """Replicate, then hash every repository and the master on their own nodes."""
    course.done[what] = replicate(witness)
    places = [witness.server, *facts.repositories(witness.topology)]
    with ThreadPoolExecutor(8) as pool:
        digests = pool.map(lambda node: hashes(witness, node.path), places)
        course.hashes[what] = dict(zip((node.path for node in places), digests, strict=True))


def update_agents(witness: Witness, course: Course) -> None:
    """Let every agent that uses a repository update now, all at the same time, and note what it has then."""
    agents = {node.path for repo in facts.repositories(witness.topology) for node in users_of(witness, repo)}

    def update(path: str) -> None:
        ran = witness.run(path, UPDATE)
        course.complaints[path] = "" if ran.code == 0 else ran.stderr.strip()
        course.updates[path] = status(witness, path)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(update, sorted(agents)))


def test_a_fresh_package_arrives_whole(witness: Witness, course: Course, repository: str) -> None:
    """a fresh package reaches the repository with the same SHA-256"""
    expect(course.done["package"], f"{repository}: the server says that replication is done", "it says that it failed")
    name = f"{FOLDER}/{course.package.file}"
    there = course.hashes["package"][repository].get(name)
    expect(
        there == course.package.sha256,
        f"{repository}: {ROOT}/{name} has SHA-256 {course.package.sha256[:12]}…",
        "the file is missing" if there is None else f"it has {there[:12]}…",
    )


def test_the_repository_is_the_masters_mirror(witness: Witness, course: Course, repository: str) -> None:
    """every file of the repository is the master's, byte for byte"""
    seen = course.hashes["small"]
    told = differences(seen[witness.server.path], seen[repository])
    expect(not told, f"{repository}: every file under {ROOT} is the master's", f"{repository}: {'; '.join(told[:5])}")


def test_agents_take_it_from_their_repository(
    witness: Witness, topology: Topology, course: Course, repository: str
) -> None:
    """the agents of its segment take the package from the repository"""
    holder = topology.node(repository)
    wanted = next(each.name for each in topology.management.repositories if each.node == repository)
    broken = []
    for node in users_of(witness, holder):
        seen, complaint = course.updates[node.path], course.complaints[node.path]
        if complaint:
            broken.append((f"{node.path} updates", complaint))
        if seen["installed"].get(PRODUCT) != course.package.version:
            told = f"{node.path} has {seen['installed'].get(PRODUCT)}"
            broken.append((f"{node.path} has {PRODUCT} {course.package.version}", told))
        if str(seen["update_source"]).upper() != wanted.upper():
            broken.append((f"{node.path} takes content from {wanted}", f"it took it from {seen['update_source']}"))
    expect_all(broken)


def test_what_agents_installed_is_what_was_checked_in(witness: Witness, course: Course, repository: str) -> None:
    """what the agents installed has the SHA-256 of what was checked in"""
    path = f"/var/lib/miniepo/agent/content/{PRODUCT}/{course.package.file}"
    broken = []
    for node in users_of(witness, witness.topology.node(repository)):
        ran = witness.run(node.path, f"sha256sum {path}")
        if not ran.stdout.startswith(course.package.sha256):
            broken.append((f"{node.path}: {path} has SHA-256 {course.package.sha256[:12]}…", ran.stdout or ran.stderr))
    expect_all(broken)


def test_it_crossed_the_wan_once(witness: Witness, topology: Topology, course: Course, repository: str) -> None:
    """the package crossed the WAN once, for the repository, and not again for each agent"""
    site = topology.node(repository).site
    if site == witness.server.site:
        return
    held = [each for each in facts.repositories(topology) if each.site == site]
    crossed, once = course.crossed["package"][site], len(held) * PACKAGE_BYTES
    expect(
        once <= crossed <= OVERHEAD * once,
        f"{repository}: {once} bytes of content need {once} to {OVERHEAD * once:.0f} bytes on the lines to {site}",
        f"{crossed} bytes came in over the router's WAN interfaces",
    )


def test_the_next_replication_moves_only_what_changed(
    witness: Witness, topology: Topology, course: Course, repository: str
) -> None:
    """a second replication moves nothing, and after a small change only the change"""
    site = topology.node(repository).site
    if site == witness.server.site:
        return
    held = sum(each.site == site for each in facts.repositories(topology))
    nothing, small = course.crossed["nothing"][site], course.crossed["small"][site]
    expect(
        nothing <= held * CATALOGS_BYTES,
        f"{repository}: a replication without changes moves at most {held * CATALOGS_BYTES} bytes",
        f"{nothing} bytes came in to {site}",
    )
    expect(
        held * SMALL_BYTES <= small <= held * (OVERHEAD * SMALL_BYTES + CATALOGS_BYTES),
        f"{repository}: a change of {SMALL_BYTES} bytes moves that much and its catalogs",
        f"{small} bytes came in to {site}",
    )
