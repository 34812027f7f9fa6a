"""Only Debian's own sources are used, with the image's suite."""

from epolab.images.sources import debian_sources

DEBIAN = """# comment
Types: deb deb-src
URIs: http://mirror.test/debian http://second.test/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.test/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
KEY = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"


def test_the_new_format_gives_one_line_for_each_repository() -> None:
    assert debian_sources({"debian.sources": DEBIAN}, "bookworm", "bookworm").splitlines() == [
        f"deb {KEY} http://mirror.test/debian bookworm main",
        f"deb {KEY} http://mirror.test/debian bookworm-updates main",
        f"deb {KEY} http://second.test/debian bookworm main",
        f"deb {KEY} http://second.test/debian bookworm-updates main",
        f"deb {KEY} http://mirror.test/debian-security bookworm-security main",
    ]


def test_the_old_format_is_read_as_well() -> None:
    text = "# deb http://off.test d main\ndeb [arch=amd64] http://mirror.test/debian bookworm main non-free # local\n"
    assert debian_sources({"sources.list": text}, "bookworm", "bookworm") == (
        "deb http://mirror.test/debian bookworm main\n"
    )


def test_a_newer_host_still_gives_the_images_suite() -> None:
    text = "deb http://mirror.test/debian trixie main\ndeb http://mirror.test/security trixie-security main\n"
    assert debian_sources({"sources.list": text}, "trixie", "bookworm").splitlines() == [
        "deb http://mirror.test/debian bookworm main",
        "deb http://mirror.test/security bookworm-security main",
    ]


def test_other_makers_sources_are_left_out() -> None:
    texts = {
        "suite.list": "deb http://other.test/apt tool-bookworm main\ndeb http://db.test/apt bookworm-db main\n",
        "component.list": "deb http://engine.test/debian bookworm stable\n",
        "key.list": "deb [signed-by=/etc/apt/keyrings/other.gpg] http://other.test/debian bookworm main\n",
        "off.sources": DEBIAN.replace("Types: deb\n", "Types: deb\nEnabled: no\n").split("\n\n")[1],
    }
    assert debian_sources(texts, "bookworm", "bookworm") == ""
