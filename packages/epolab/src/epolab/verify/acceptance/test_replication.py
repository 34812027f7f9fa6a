"""Promise `replication`: content reaches every repository once and whole, and agents of its segment take it there."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from epolab.model import facts
from epolab.model.topology import Topology
from epolab.verify.agents import status, update
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
    root_of,
    users_of,
)
from epolab.verify.inflow import Counter, Crossed, Due, due
from epolab.verify.witness import Witness

DISTURBS = True
PACKAGE_BYTES = 1_000_000
SMALL_BYTES = 100_000


@dataclass
class Course:
    """What came to the repositories while a package, then nothing, then a small one was replicated."""

    package: Package
    done: dict[str, bool]
    crossed: dict[str, Crossed] = field(default_factory=dict)
    hashes: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    updates: dict[str, dict[str, Any]] = field(default_factory=dict)
    complaints: dict[str, str] = field(default_factory=dict)
    installed: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module", name="course")
def course_fixture(witness: Witness, topology: Topology, whole: None) -> Iterator[Course]:
    """The whole course of a replication, observed once for all checks."""
    repositories = facts.repositories(topology)
    with only_our_content(witness):
        before = replicate(witness)
        counter = Counter(witness, [node for node in repositories if node.site != witness.server.site])
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
    places = {node.path: root_of(witness.topology, node) for node in facts.repositories(witness.topology)}
    places = {witness.server.path: ROOT} | places
    with ThreadPoolExecutor(8) as pool:
        digests = pool.map(lambda place: hashes(witness, *place), places.items())
        course.hashes[what] = dict(zip(places, digests, strict=True))


def update_agents(witness: Witness, course: Course) -> None:
    """Let every agent that uses a repository update now, all at the same time, and note what it has then.

    Later is too late: by its own schedule an agent soon takes the next package in the place of this one.
    """
    agents = {node.path for repo in facts.repositories(witness.topology) for node in users_of(witness, repo)}

    def one(path: str) -> None:
        course.complaints[path] = update(witness, path)
        course.updates[path] = status(witness, path)
        hashed = witness.run(path, f"sha256sum {installed_file(course.package)}")
        course.installed[path] = (hashed.stdout or hashed.stderr).strip()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, sorted(filter(witness.runs, agents))))


def installed_file(package: Package) -> str:
    """Where an agent keeps the file of a package that it has installed."""
    return f"/var/lib/miniepo/agent/content/{PRODUCT}/{package.file}"


def test_a_fresh_package_arrives_whole(topology: Topology, course: Course, repository: str) -> None:
    """a fresh package reaches the repository with the same SHA-256"""
    expect(course.done["package"], f"{repository}: the server says that replication is done", "it says that it failed")
    name, root = f"{FOLDER}/{course.package.file}", root_of(topology, topology.node(repository))
    there = course.hashes["package"][repository].get(name)
    expect(
        there == course.package.sha256,
        f"{repository}: {root}/{name} has SHA-256 {course.package.sha256[:12]}…",
        "the file is missing" if there is None else f"it has {there[:12]}…",
    )


def test_the_repository_is_the_masters_mirror(witness: Witness, course: Course, repository: str) -> None:
    """every file of the repository is the master's, byte for byte"""
    seen = course.hashes["small"]
    told = differences(seen[witness.server.path], seen[repository])
    expect(not told, f"{repository}: every file of it is the master's", f"{repository}: {'; '.join(told[:5])}")


def test_agents_take_it_from_their_repository(topology: Topology, course: Course, client: str) -> None:
    """an agent takes the package from the repository of its segment"""
    holder = facts.repository_of(topology, topology.node(client)).path
    wanted = next(each.name for each in topology.management.repositories if each.node == holder)
    seen, complaint = course.updates[client], course.complaints[client]
    broken = []
    if complaint:
        broken.append((f"{client} updates", complaint))
    if seen["installed"].get(PRODUCT) != course.package.version:
        broken.append((f"{client} has {PRODUCT} {course.package.version}", f"it has {seen['installed'].get(PRODUCT)}"))
    if str(seen["update_source"]).upper() != wanted.upper():
        broken.append((f"{client} takes content from {wanted}", f"it took it from {seen['update_source']}"))
    expect_all(broken)


def test_what_agents_installed_is_what_was_checked_in(course: Course, client: str) -> None:
    """what an agent installed has the SHA-256 of what was checked in"""
    expect(
        course.installed[client].startswith(course.package.sha256),
        f"{client}: {installed_file(course.package)} has SHA-256 {course.package.sha256[:12]}…",
        course.installed[client],
    )


def due_of(topology: Topology, course: Course, repository: str, what: str, size: int) -> tuple[Due, int]:
    """The bytes that were due to a repository in a part of the course, and those that came."""
    crossed = course.crossed[what]
    wanted = due(topology, topology.node(repository), size, crossed.took_seconds, PACKAGE_BYTES)
    return wanted, crossed.to[repository]


def test_it_crossed_the_wan_once(topology: Topology, course: Course, remote_repository: str) -> None:
    """the package crossed the WAN once, for the repository, and not again for each agent"""
    wanted, seen = due_of(topology, course, remote_repository, "package", PACKAGE_BYTES)
    expect(
        wanted.holds(seen),
        f"{remote_repository}: {PACKAGE_BYTES} bytes of content once are {wanted.text} from its site's router",
        f"the router sent {seen} bytes there",
    )


def test_the_next_replication_moves_only_what_changed(
    topology: Topology, course: Course, remote_repository: str
) -> None:
    """a second replication moves nothing, and after a small change only the change"""
    parts = [("nothing", 0, "a replication without changes"), ("small", SMALL_BYTES, f"{SMALL_BYTES} bytes of change")]
    broken = []
    for what, size, told in parts:
        wanted, seen = due_of(topology, course, remote_repository, what, size)
        if not wanted.holds(seen):
            broken.append((f"{remote_repository}: {told}: {wanted.text}", f"the router sent {seen} bytes there"))
    expect_all(broken)
