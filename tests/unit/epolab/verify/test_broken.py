"""How a broken promise is told."""

import pytest

from epolab.verify.broken import PromiseBrokenError, expect, expect_all


def test_a_kept_promise_is_silent() -> None:
    expect(True, "a", "b")
    expect_all([])


def test_all_that_is_broken_is_told_and_the_same_expectation_once() -> None:
    with pytest.raises(PromiseBrokenError) as caught:
        expect_all([("open", "closed on a"), ("open", "closed on b")])
    assert (caught.value.expected, caught.value.observed) == ("open", "closed on a; closed on b")
