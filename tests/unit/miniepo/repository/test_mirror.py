"""What a mirror lacks, and the logs that say what is there."""

from pathlib import Path

from miniepo.protocol.content import ReplicaFile, ReplicaLog, parse_replica_log
from miniepo.repository.mirror import Delete, Put, compare, read_tree, write_logs


def log(*files: tuple[str, str], folders: tuple[str, ...] = ()) -> ReplicaLog:
    return ReplicaLog(tuple(ReplicaFile(name, len(sha), sha) for name, sha in files), folders)


MASTER = {
    "": log(("SiteStat.xml", "s2"), ("catalog.z", "c2"), folders=("Current",)),
    "Current": log(folders=("DAT",)),
    "Current/DAT": log(("PkgCatalog.z", "p2"), ("a.gem", "aa"), ("b.gem", "bb")),
}


def test_an_empty_target_gets_everything_and_the_catalogs_last() -> None:
    difference = compare(MASTER, {})
    assert [put.path for put in difference.puts] == [
        "Current/DAT/a.gem",
        "Current/DAT/b.gem",
        "Current/DAT/PkgCatalog.z",
        "catalog.z",
        "SiteStat.xml",
    ]
    assert difference.deletes == () and difference.size == 10


def test_only_what_changed_is_copied_and_what_is_not_listed_deleted() -> None:
    target = {
        "": log(("SiteStat.xml", "s1"), ("catalog.z", "c2"), folders=("Current", "Old")),
        "Current": log(folders=("DAT",)),
        "Current/DAT": log(("PkgCatalog.z", "p2"), ("a.gem", "aa"), ("b.gem", "xx"), ("z.gem", "zz")),
        "Old": log(("x", "x"), folders=("Deep",)),
        "Old/Deep": log(("y", "y")),
    }
    difference = compare(MASTER, target)
    assert difference.puts == (Put("Current/DAT/b.gem", 2, "bb"), Put("SiteStat.xml", 2, "s2"))
    assert difference.deletes == (Delete("Current/DAT/z.gem"), Delete("Old"))


def test_equal_trees_need_nothing_unless_all_is_asked_for() -> None:
    assert compare(MASTER, MASTER).puts == ()
    assert len(compare(MASTER, MASTER, full=True).puts) == 5


def test_a_directory_gets_the_logs_of_what_lies_in_it(tmp_path: Path) -> None:
    (tmp_path / "Current/DAT").mkdir(parents=True)
    (tmp_path / "Current/DAT/a.gem").write_bytes(b"abc")
    (tmp_path / "Current/DAT/.b.gem.arriving").write_bytes(b"not yet")
    write_logs(tmp_path, read_tree(tmp_path))
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (tmp_path / "Current/DAT/Replica.log").read_text() == f"file 3 {sha256} a.gem\n"
    assert parse_replica_log((tmp_path / "Replica.log").read_text()).folders == ("Current",)
    assert read_tree(tmp_path)["Current/DAT"].files == (ReplicaFile("a.gem", 3, sha256),), "a log does not list itself"
