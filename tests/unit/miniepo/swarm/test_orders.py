"""What a swarm says of itself."""

import pytest

from miniepo.agent.orders import Reply
from miniepo.agent.tasks import Outcome
from miniepo.swarm.orders import share, updated


@pytest.mark.parametrize(("percent", "seconds"), [(50, 0.5), (99, 0.99), (100, 1.0)])
def test_a_share_of_the_calls_took_no_longer(percent: int, seconds: float) -> None:
    assert share([number / 100 for number in range(100, 0, -1)], percent) == seconds


def test_one_call_is_every_share_and_none_is_nothing() -> None:
    assert share([0.25], 50) == share([0.25], 99) == 0.25
    assert share([], 99) == 0.0


def test_an_update_of_all_fails_if_it_fails_for_any_and_tells_of_each() -> None:
    right, wrong = Outcome("succeeded", "EPO: already latest"), Outcome("failed", "no repository")
    assert updated([right, right]) == Reply(ok=True, result={"outcomes": {"EPO: already latest": 2}})
    outcomes = {"EPO: already latest": 1, "failed: no repository": 2}
    error = "2 of 3 agents failed: no repository"
    assert updated([wrong, right, wrong]) == Reply(ok=False, result={"outcomes": outcomes}, error=error)
