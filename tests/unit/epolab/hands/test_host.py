"""Checks say what was seen; only what a lab would fail by is not ok."""

from typing import Any

import pytest

from epolab.errors import DockerUnavailableError
from epolab.hands import host
from epolab.hands.docker import Docker


def info(version: str) -> dict[str, Any]:
    return {"ServerVersion": version, "CgroupVersion": "1", "OperatingSystem": "Debian"}


@pytest.mark.parametrize(
    ("version", "enough"), [("20.10.24+dfsg1", True), ("28.2.2", True), ("19.03.1", False), ("18.9", False)]
)
def test_an_old_engine_is_refused(version: str, enough: bool) -> None:
    found = host.engine_version(info(version))
    assert found.ok is enough
    assert version in found.observed


def test_memory_is_compared_with_what_is_asked() -> None:
    assert host.memory(1).ok
    found = host.memory(10**9)
    assert not found.ok
    assert found.hint


def test_a_check_that_holds_gives_no_hint() -> None:
    assert host.Check("x", True, "seen", "do this").document() == {
        "name": "x",
        "ok": True,
        "observed": "seen",
        "hint": "",
    }
    assert host.Check("x", False, "seen", "do this").document()["hint"] == "do this"


def test_without_an_engine_the_other_checks_are_still_made() -> None:
    def refuse() -> Docker:
        raise DockerUnavailableError("no container runtime answers")

    found = host.checks(host.Needs(), refuse)
    assert (found[0].name, found[0].ok, found[0].hint) == ("engine", False, "make setup")
    assert {"memory", "disk", "tun", "netem", "pulumi"} <= {check.name for check in found}


class OwnImages:
    """A container runtime with one image of the user's."""

    def image_id(self, reference: str) -> str | None:
        return "sha256:0" if reference == "mine:1" else None


def test_an_image_that_a_node_names_must_be_there() -> None:
    docker: Any = OwnImages()
    assert host.named_image(docker, "mine:1").ok
    found = host.named_image(docker, "mine:2")
    assert (found.name, found.ok) == ("image mine:2", False)
    assert "docker build --tag mine:2" in found.hint


def test_a_missing_device_is_no_fault_where_nothing_needs_it() -> None:
    assert host.tun(False, ()).ok
    found = host.tun(False, ("link hq-tokyo",))
    assert (found.ok, found.hint) == (False, "modprobe tun")
    assert "link hq-tokyo" in found.observed


@pytest.mark.parametrize("there", [True, False, None])
def test_netem_only_informs_and_says_what_makes_the_links(there: bool | None) -> None:
    found = host.netem(there)
    assert found.ok
    assert "userspace cable" in found.observed
