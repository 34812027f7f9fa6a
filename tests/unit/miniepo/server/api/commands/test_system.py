"""What the words of a wake-up and of a push amount to."""

import pytest

from miniepo.errors import CommandError
from miniepo.server.api.arguments import Call
from miniepo.server.api.commands.system import groups_named, is_path, options_of, push_options_of
from miniepo.store.groups import Group

GROUPS = [
    Group(2, None, "My Organization", "My Organization"),
    Group(4, 2, "tokyo", "My Organization\\tokyo"),
    Group(5, 4, "pcs", "My Organization\\tokyo\\pcs"),
    Group(6, 2, "tokyo-2", "My Organization\\tokyo-2"),
]


def call(**words: str) -> Call:
    return Call("system.wakeupAgent", {name.lower(): value for name, value in words.items()})


@pytest.mark.parametrize(
    ("name", "expected"),
    [("pc-1", False), ("pc-1.test", False), ("My Organization\\tokyo", True), ("my organization", True)],
)
def test_a_groups_path_is_no_systems_name(name: str, expected: bool) -> None:
    assert is_path(name) is expected


@pytest.mark.parametrize(
    ("path", "below", "expected"),
    [
        ("My Organization\\tokyo", False, {4}),
        ("my organization\\TOKYO", True, {4, 5}),
        ("My Organization", True, {2, 4, 5, 6}),
        ("My Organization\\osaka", True, set()),
    ],
)
def test_a_group_stands_for_itself_and_for_what_is_below_if_wanted(path: str, below: bool, expected: set[int]) -> None:
    assert groups_named(GROUPS, [path], below) == expected


def test_a_wakeup_without_options_is_a_published_clients() -> None:
    options = options_of(call(names="pc-1"))
    assert (options.random_minutes, options.attempts, options.retry_seconds, options.abort_after_minutes) == (
        0,
        1,
        30,
        5,
    )
    assert not (options.superagent or options.full_props or options.full_policy or options.use_all_handlers)


def test_every_option_of_a_wakeup_is_taken() -> None:
    words = {
        "fullProps": "True", "superAgent": "true", "randomMinutes": "2", "forceFullPolicyUpdate": "1",
        "useAllHandlers": "yes", "retryIntervalSeconds": "7", "attempts": "3", "abortAfterMinutes": "0.5",
    }  # fmt: skip
    options = options_of(call(names="pc-1", **words))
    assert (options.random_minutes, options.attempts, options.retry_seconds, options.abort_after_minutes) == (
        2,
        3,
        7,
        0.5,
    )
    assert options.superagent and options.full_props and options.full_policy and options.use_all_handlers


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "soon"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="must be a number from 0 on"):
        options_of(call(names="pc-1", abortAfterMinutes=text))


def test_a_push_needs_to_know_who_logs_in() -> None:
    with pytest.raises(CommandError, match="username"):
        push_options_of(call(names="pc-1"))
    options = push_options_of(
        call(names="pc-1", username="admin", password="", agentHandler="hq/epo", forceInstall="true")
    )
    assert (options.user, options.password, options.handler, options.force) == ("admin", None, "hq/epo", True)
