import pytest

from epolab.model.bandwidth import BandwidthSum


@pytest.mark.parametrize(
    ("sum_", "pulled", "pays"),
    [
        (BandwidthSum(200), 40_000_000, False),
        (BandwidthSum(4000), 800_000_000, True),
        (BandwidthSum(1000, size_bytes=23_000_000), 23_000_000_000, True),
        (BandwidthSum(349), 69_800_000, False),
        (BandwidthSum(350), 70_000_000, True),
    ],
)
def test_the_sums_of_the_source(sum_: BandwidthSum, pulled: int, pays: bool) -> None:
    assert (sum_.pulled_bytes, sum_.repository_pays) == (pulled, pays)


def test_break_even_is_at_350_nodes() -> None:
    assert BandwidthSum(1).break_even_nodes == 350
