"""How much goes in one package."""

import msgspec
import pytest

from miniepo.protocol.filling import first_that_fit


class Record(msgspec.Struct):
    """Something of a size."""

    text: str


def records(*lengths: int) -> list[Record]:
    return [Record("x" * (length - len(msgspec.json.encode(Record(""))))) for length in lengths]


@pytest.mark.parametrize(
    ("lengths", "fit"),
    [((), 0), ((20, 20), 2), ((20,) * 9, 4), ((50, 50), 2), ((50, 51), 1), ((300, 20), 1), ((20, 300, 20), 1)],
)
def test_the_first_ones_go_as_long_as_they_fit_and_one_goes_always(lengths: tuple[int, ...], fit: int) -> None:
    given = records(*lengths)
    assert first_that_fit(given, 4, 100) == tuple(given[:fit])
