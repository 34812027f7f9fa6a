"""Where a lab could leave a file, and what is there for all labs or from other programs."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Set
from functools import cache
from itertools import islice
from pathlib import Path

from tests.acceptance.lab import temporary

# seen with all that is in them; what the engine has there of a container goes with the container
WHOLE = tuple(
    map(Path, ("/run/epolab", "/run/docker", "/run/containerd", "/run/netns", "/run/lock", "/var/lib/epolab"))
)
# seen by the names in them
LISTED = (Path("/run"),)
# below the user's home, seen with all that is in them and how long it is: a line more in a known_hosts is a leaving too
SETTINGS = (".ssh", ".docker", ".ansible", ".pulumi", ".config/epolab", ".local/share/epolab")
CACHE = ".cache/epolab"
# every program of the machine puts files here: only what has our words is ours
SHARED = tuple(map(Path, ("/tmp", "/var/tmp", "/dev/shm")))
SHARED_AT_HOME = ("", ".cache", ".config", ".local/share")
WORDS = re.compile(r"epolab|miniepo|pulumi|ansible|^sem\.mp-")
# of each file, and of how many in a folder, so much is read; another program may be filling it meanwhile
BYTES_READ, ENTRIES_READ = 1 << 16, 100

# made once for all labs and made again when it is missing; whatever else is in the cache is a leaving
_IMAGE = r"(fabric|node|vm)-[0-9a-f]{12}"
CACHED = re.compile(
    rf"(images|images/{_IMAGE}(/(build\.log|rootfs\.tar))?|images/\.(engine-)?{_IMAGE}\.lock"  # one per recipe
    r"|pulumi|pulumi/.*"  # the engine's programs, one folder per version
    r"|wheels|wheels/miniepo-[0-9a-f]{16}-[\w-]+(/(release\.tar\.gz\.b64|[\w.-]+\.whl))?"  # one per source state
    r"|hosts|hosts/\w+-[\w.+-]+\.json|acceleration\.json"  # what the host can do
    r"|logs|logs/setup\.log)"
)
# the engine's own: its images and bookkeeping (what it has of labs is looked at as containers, volumes and networks),
# and the namespace it makes with the first container that has no network
OF_THE_ENGINE = re.compile(r"/var/lib/epolab/docker(/.*)?|/run/(epolab/)?docker/netns/default")


def files(home: Path, mount_points: Set[str]) -> Iterator[str]:
    """The files that there are, those that cannot be a lab's left out; `home` is the EPOLAB_HOME of the labs."""
    for place in (home, temporary(), *WHOLE):
        yield from (path for path in _below(place, mount_points) if not OF_THE_ENGINE.fullmatch(path))
    for place in LISTED:
        yield from (entry.path for entry in _entries(place))
    user = Path.home()
    for name in SETTINGS:
        yield from map(_with_length, _below(user / name, mount_points))
    cache = f"{user / CACHE}/"
    yield from (path for path in _below(user / CACHE, mount_points) if not CACHED.fullmatch(path.removeprefix(cache)))
    known = _shared_at_first(user)
    for entry in _shared(user):
        if entry.path not in known and _is_ours(entry, home):
            yield entry.path


def _shared(user: Path) -> list[os.DirEntry[str]]:
    places = (*SHARED, *(user / name for name in SHARED_AT_HOME))
    return [entry for place in places for entry in _entries(place)]


@cache
def _shared_at_first(user: Path) -> frozenset[str]:
    """What was in the shared folders when the machine was first looked at: no lab of ours had been there."""
    return frozenset(entry.path for entry in _shared(user))


def _entries(place: str | Path) -> list[os.DirEntry[str]]:
    """What is in a folder; nothing if there is none (any more), or if it is kept from the user whose labs these are."""
    try:
        with os.scandir(place) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def _below(place: str | Path, mount_points: Set[str] = frozenset()) -> Iterator[str]:
    """All that is below a folder; what is mounted there is looked at as a mount."""
    for entry in _entries(place):
        yield entry.path
        if entry.is_dir(follow_symlinks=False) and entry.path not in mount_points:
            yield from _below(entry.path, mount_points)


def _with_length(path: str) -> str:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return path
    return f"{path} ({status.st_size} bytes)" if stat.S_ISREG(status.st_mode) else path


def _is_ours(entry: os.DirEntry[str], home: Path) -> bool:
    """Whether its name tells of us or of the tools that we start, or what is in it tells of the lab's home.

    The folders that are looked into by themselves do not count.
    """
    if Path(entry.path) in (temporary(), home, *home.parents, Path.home() / CACHE):
        return False
    if WORDS.search(entry.name):
        return True
    return any(_tells_of(path, home) for path in (entry.path, *islice(_below(entry.path), ENTRIES_READ)))


def _tells_of(path: str, home: Path) -> bool:
    word = os.fsencode(home)
    try:
        kind = os.lstat(path).st_mode
        if stat.S_ISLNK(kind):
            return word in os.fsencode(Path(path).readlink())
        if not stat.S_ISREG(kind):
            return False
        with Path(path).open("rb") as file:
            return word in file.read(BYTES_READ)
    except (FileNotFoundError, PermissionError):
        return False  # gone meanwhile, or kept from us
