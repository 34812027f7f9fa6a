"""The order to mmdebstrap says all that the request says."""

from pathlib import Path

from epolab.hands.debian import RootRequest


def test_the_command_has_packages_exclusions_and_hooks_in_order() -> None:
    request = RootRequest("bookworm", "minbase", ["runit", "curl"], ["/usr/share/doc/*"], ["a", "b"], "deb x\n", 1)
    assert request.argv(Path("/s"), Path("/c")) == [
        "mmdebstrap",
        "--variant=minbase",
        "--format=tar",
        "--aptopt=/c",
        "--include=runit,curl",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--customize-hook=a",
        "--customize-hook=b",
        "bookworm",
        "-",
        "/s",
    ]
