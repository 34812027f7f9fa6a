"""Ranges of a file."""

import pytest

from miniepo.wire.http_response import Span, choose_span


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, Span(0, 100)),
        ("bytes=0-", Span(0, 100)),
        ("bytes=10-19", Span(10, 10)),
        ("bytes=90-200", Span(90, 10)),
        ("bytes=-10", Span(90, 10)),
        ("bytes=-500", Span(0, 100)),
        ("bytes=100-", None),
        ("bytes=20-10", None),
        ("bytes=-0", None),
        ("bytes=0-1,5-6", Span(0, 100)),
        ("lines=1-2", Span(0, 100)),
        ("bytes=-", Span(0, 100)),
        (f"bytes={'9' * 5000}-", Span(0, 100)),
        ("bytes=٣-", Span(0, 100)),
    ],
)
def test_which_span_a_header_asks_for(header: str | None, span: Span | None) -> None:
    assert choose_span(header, 100) == span


def test_an_empty_file_has_nothing_to_offer() -> None:
    assert choose_span(None, 0) == Span(0, 0)
    assert choose_span("bytes=0-", 0) is None
