"""Releases: versions, names, sizes and the index, always the same for a seed."""

from miniepo.updates.release import INCREMENTS_OFFERED, Release, index, noise, offered

FIRST = Release(1, "seed", 200, 7000)


def test_names_follow_the_published_shapes() -> None:
    assert (FIRST.version, FIRST.full_set_name, FIRST.increment_name) == (
        "10001.0000",
        "avvdat-10001.zip",
        "1000010001avv.gem",
    )
    assert FIRST.entry.path == "Current/VSCANDAT1000/DAT/0000"


def test_content_has_its_size_and_depends_on_seed_and_version_only() -> None:
    assert (len(FIRST.increment()), len(FIRST.full_set())) == (200, 7000)
    assert FIRST.increment() == Release(1, "seed", 200, 1).increment()
    assert FIRST.increment() != Release(2, "seed", 200, 7000).increment()
    assert noise("a", 10) != noise("b", 10)


def test_the_last_increments_is_offered_and_no_more() -> None:
    assert [each.number for each in offered(Release(3, "seed", 1, 1))] == [1, 2, 3]
    assert len(offered(Release(100, "seed", 1, 1))) == INCREMENTS_OFFERED


def test_the_index_has_the_version_last_in_its_section_and_a_checksum_per_increment() -> None:
    release = Release(2, "seed", 1, 1)
    text = index(release, {each.increment_name: each.increment() for each in offered(release)})
    assert text.split("CurrentVersion=")[1].split("\r\n\r\n")[0] == "10002"
    assert "10000=1\r\n10001=2\r\n" in text
    assert "1=1000010001avv.gem\r\n2=1000110002avv.gem\r\n" in text
    checksum = text.split("1000110002avv.gem=")[1].split("\r\n")[0]
    assert 0 <= int(checksum) < 2**32
