"""How an acceptance file says that a promise is broken: what was expected, what was observed."""

from __future__ import annotations


class PromiseBrokenError(AssertionError):
    """The lab does not keep a promise; carries expectation and observation in words."""

    def __init__(self, expected: str, observed: str) -> None:
        super().__init__(f"expected: {expected}; observed: {observed}")
        self.expected = expected
        self.observed = observed


def expect(kept: bool, expected: str, observed: str) -> None:
    """Raise when a promise is not kept."""
    if not kept:
        raise PromiseBrokenError(expected, observed)


def expect_all(broken: list[tuple[str, str]]) -> None:
    """Raise when anything was found broken; `broken` holds (expected, observed) pairs, all of them are told."""
    if broken:
        raise PromiseBrokenError("; ".join(dict.fromkeys(e for e, _ in broken)), "; ".join(o for _, o in broken))
