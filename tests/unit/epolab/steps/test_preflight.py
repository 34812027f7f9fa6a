"""What is refused before anything is created."""

from dataclasses import replace

import pytest

from epolab.errors import DiskShortError, ImageMissingError, LabForeignError, LinkImpossibleError, MemoryShortError
from epolab.hands.capacity import free_memory_mib
from epolab.hands.files import LabFolder
from epolab.steps import preflight
from epolab.steps.labs import LabRecord, Member
from epolab.steps.preflight import (
    refuse_foreign,
    refuse_full_disk,
    refuse_links,
    refuse_missing_images,
    refuse_short_memory,
)
from epolab.steps.progress import Silent
from epolab.steps.work import Work


def lab_of(topology, running):
    members = (Member(node.path, "id", node.path, "container", (), running) for node in topology.nodes)
    return LabRecord("lab", "me", None, None, None, tuple(members))


def greedy(topology):
    """The same lab, with one node that wants more than this host has."""
    wish = free_memory_mib() + 100_000
    site = topology.sites[0]
    nodes = (replace(site.nodes[0], memory_mib=wish), *site.nodes[1:])
    return replace(topology, sites=(replace(site, nodes=nodes), *topology.sites[1:]))


def work_on(topology, runtime, tmp_path):
    return Work(topology, "lab", "me", None, runtime, LabFolder(tmp_path), Silent())


def test_a_strangers_lab_is_refused(topology):
    refuse_foreign(None, "you")
    refuse_foreign(lab_of(topology, True), "me")
    with pytest.raises(LabForeignError, match="belongs to me"):
        refuse_foreign(lab_of(topology, True), "you")


def test_more_memory_than_is_free_is_refused(topology, runtime, tmp_path):
    refuse_short_memory(work_on(topology, runtime, tmp_path), None)
    with pytest.raises(MemoryShortError, match="MiB are free"):
        refuse_short_memory(work_on(greedy(topology), runtime, tmp_path), None)


def test_nodes_that_run_already_need_no_more(topology, runtime, tmp_path):
    big = greedy(topology)
    refuse_short_memory(work_on(big, runtime, tmp_path), lab_of(big, True))
    with pytest.raises(MemoryShortError):
        refuse_short_memory(work_on(big, runtime, tmp_path), lab_of(big, False))


def test_an_image_of_the_users_that_is_not_there_is_refused_with_who_needs_it(topology, runtime, tmp_path):
    refuse_missing_images(work_on(topology, runtime, tmp_path))
    site = topology.sites[0]
    own = (replace(site.nodes[0], image="own:1"), *site.nodes[1:])
    wanting = replace(topology, sites=(replace(site, nodes=own), *topology.sites[1:]))
    with pytest.raises(ImageMissingError, match=f"no image own:1, of which {site.nodes[0].path} shall") as refused:
        refuse_missing_images(work_on(wanting, runtime, tmp_path))
    assert refused.value.exit_code == 3
    assert "docker load" in refused.value.hint
    runtime.image_id = lambda reference: "sha256:0"
    refuse_missing_images(work_on(wanting, runtime, tmp_path))


def test_a_full_disk_is_refused(topology, runtime, tmp_path, monkeypatch):
    refuse_full_disk(work_on(topology, runtime, tmp_path))
    monkeypatch.setattr(preflight, "free_disk_mib", lambda folder: preflight.DISK_MIB - 1)
    with pytest.raises(DiskShortError, match=rf"{preflight.DISK_MIB - 1} MiB are free at {tmp_path}") as refused:
        refuse_full_disk(work_on(topology, runtime, tmp_path))
    assert refused.value.exit_code == 3


class Listener(Silent):
    """Keeps what it is told."""

    def __init__(self):
        self.told = []

    def warn(self, text):
        self.told.append(text)


def with_rate(topology, rate_bps, accept):
    link = topology.links[0]
    fast = replace(link.a_to_b, rate_bps=rate_bps, delay_ms=0.0)
    return replace(topology, links=(replace(link, a_to_b=fast, b_to_a=fast, accept=accept),))


def test_a_link_beyond_every_driver_is_refused_and_named(topology, runtime, tmp_path):
    with pytest.raises(LinkImpossibleError, match="link hq-tokyo: this host cannot keep its rate") as refused:
        refuse_links(work_on(with_rate(topology, 10**10, ()), runtime, tmp_path))
    assert refused.value.exit_code == 3
    assert "accept" in refused.value.hint


def test_what_a_link_accepts_to_lose_is_said(topology, runtime, tmp_path):
    work = work_on(with_rate(topology, 10**10, ("rate",)), runtime, tmp_path)
    work.progress = Listener()
    refuse_links(work)
    assert [told.partition(" (")[0] for told in work.progress.told] == [
        "link hq-tokyo is degraded, as it accepts: without rate"
    ]
