"""What an update downloads."""

from miniepo.agent.update import Outcome, needed_files
from miniepo.protocol.content import CatalogEntry, PackageCatalog, PackageFile

ENTRY = CatalogEntry("Current", "VSCANDAT1000", "DAT", "0000", "10003.0000")
SCRIPT = PackageFile("V2datdet.mcs", 1, "s", "script")
FULL = PackageFile("avvdat-10003.zip", 1, "f", "full")


def step(number: int) -> PackageFile:
    return PackageFile(f"{number}.gem", 1, "i", "increment", f"{number}.0000", f"{number + 1}.0000")


PACKAGE = PackageCatalog(ENTRY, (FULL, SCRIPT, step(10002), step(10001), step(10000)))


def names(package: PackageCatalog, installed: str | None) -> list[str]:
    return [file.name for file in needed_files(package, installed)]


def test_increments_lead_from_what_is_installed() -> None:
    assert names(PACKAGE, "10001.0000") == ["V2datdet.mcs", "10001.gem", "10002.gem"]


def test_a_new_agent_counts_from_the_installers_version() -> None:
    assert names(PACKAGE, None) == ["V2datdet.mcs", "10000.gem", "10001.gem", "10002.gem"]


def test_a_broken_chain_needs_the_full_set() -> None:
    assert names(PACKAGE, "9000.0000") == ["V2datdet.mcs", "avvdat-10003.zip"]


def test_a_plain_package_is_its_files() -> None:
    package = PackageCatalog(ENTRY, (PackageFile("a", 1, "a"), PackageFile("index", 1, "b", "index")))
    assert names(package, None) == ["a"]


def test_the_outcome_says_where_from_and_what() -> None:
    assert Outcome("ePOSA_SA", None, {"DAT": "2"}).text == "ePOSA_SA: DAT 2"
    assert Outcome("ePOSA_SA", "relay-1", {}).text == "ePOSA_SA: already latest"
