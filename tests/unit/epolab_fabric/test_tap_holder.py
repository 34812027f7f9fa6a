"""Who holds a TAP, read from a process table that is written for the test."""

from pathlib import Path

from epolab_fabric.tap_holder import tap_holder


def process(proc: Path, pid: int, name: str, namespace: Path, *fdinfo: str) -> None:
    folder = proc / str(pid)
    (folder / "ns").mkdir(parents=True)
    (folder / "ns/net").hardlink_to(namespace)
    (folder / "comm").write_text(f"{name}\n")
    (folder / "fdinfo").mkdir()
    for number, text in enumerate(fdinfo):
        (folder / "fdinfo" / str(number)).write_text(text)


def a_namespace(folder: Path, name: str) -> Path:
    path = folder / name
    path.touch()
    return path


def test_the_process_of_the_namespace_that_holds_the_tap_is_named(tmp_path: Path) -> None:
    proc, inside, outside = tmp_path / "proc", a_namespace(tmp_path, "inside"), a_namespace(tmp_path, "outside")
    process(proc, 1, "init", inside, "pos:\t0\nflags:\t02\n")
    process(proc, 2, "qemu-system-x86", inside, "pos:\t0\n", "pos:\t0\niff:\ttap0\n")
    process(proc, 3, "stranger", outside, "pos:\t0\niff:\ttap1\n")
    inode = inside.stat().st_ino
    assert tap_holder("tap0", inode, proc) == "qemu-system-x86"
    assert tap_holder("tap1", inode, proc) is None
    assert tap_holder("tap", inode, proc) is None


def test_a_process_that_ended_meanwhile_is_passed_over(tmp_path: Path) -> None:
    proc, inside = tmp_path / "proc", a_namespace(tmp_path, "inside")
    (proc / "7").mkdir(parents=True)
    process(proc, 8, "qemu-system-x86", inside, "iff:\ttap0\n")
    assert tap_holder("tap0", inside.stat().st_ino, proc) == "qemu-system-x86"
