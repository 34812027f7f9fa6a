"""Who holds a lock, as the kernel lists it."""

import fcntl
import os
from pathlib import Path

from epolab.hands.lock_holders import holders, pids_of

LISTED = """\
1: FLOCK  ADVISORY  WRITE 5402 fe:00:9978189 0 EOF
1: -> FLOCK  ADVISORY  WRITE 77 fe:00:9978189 0 EOF
2: POSIX  ADVISORY  READ 88 fe:00:9978189 0 EOF
3: FLOCK  ADVISORY  READ 12 00:db:9978189 0 EOF
4: FLOCK  ADVISORY  READ -1 00:db:9978189 0 EOF
5: FLOCK  ADVISORY  READ 13 00:db:997 0 EOF
"""


def test_who_only_waits_or_locks_another_file_holds_nothing():
    assert pids_of(LISTED.splitlines(), 9978189) == [12, 5402]


def test_a_holder_is_told_by_its_command(tmp_path):
    with (tmp_path / "lock").open("a") as file:
        assert holders(file.fileno()) == "another command"
        fcntl.flock(file, fcntl.LOCK_EX)
        told = holders(file.fileno())
    assert told.startswith(f"process {os.getpid()} (")
    last = Path("/proc/self/cmdline").read_text().rstrip("\0").split("\0")[-1]
    assert last[:20] in told
