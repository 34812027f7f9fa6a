"""Sockets from what `ss` prints."""

from epolab.verify.listeners import read_listeners

OWNED = [
    "LISTEN 0      128    0.0.0.0:8081 0.0.0.0:* uid:901 ino:1 sk:3 <->",
    "LISTEN 0      128       [::]:8081    [::]:* ino:2 sk:4 v6only:1 <->",
]
NAMED = [
    'LISTEN 0      128    0.0.0.0:8081 0.0.0.0:* users:(("cmdagent",pid=43,fd=6))',
    "LISTEN 0      128       [::]:8081    [::]:*",
]


def test_user_process_and_family_are_told_and_strangers_have_no_name() -> None:
    first, second = read_listeners(OWNED, NAMED, {"901": "mfeagent", "0": "root"})
    assert (first.family, first.user, first.process) == (4, "mfeagent", "cmdagent")
    assert (second.family, second.user, second.process) == (6, "root", "")
    assert second.text == "[::]:8081 by another process of root"
