from decimal import Decimal

import pytest

from epolab.topology.quantity import ASCI, DELAY, LOSS, QUEUE, RATE, SIZE, Quantity, QuantityError


@pytest.mark.parametrize(
    ("quantity", "text", "amount"),
    [
        (RATE, "10mbit", "10000000"),
        (RATE, "10 Mbit/s", "10000000"),
        (RATE, "1.5Gbit", "1500000000"),
        (RATE, "8kbit", "8000"),
        (RATE, "8000bit", "8000"),
        (DELAY, "40ms", "40"),
        (DELAY, "0", "0"),
        (DELAY, "0.04 s", "40"),
        (DELAY, "250us", "0.25"),
        (DELAY, ".5ms", "0.5"),
        (ASCI, "1h", "3600000"),
        (ASCI, "5min", "300000"),
        (LOSS, "0.1%", "0.001"),
        (LOSS, "0", "0"),
        (QUEUE, "200ms", "200"),
        (SIZE, "512MiB", "512"),
        (SIZE, "2GiB", "2048"),
    ],
)
def test_a_quantity_is_read_into_its_base_unit(quantity: Quantity, text: str, amount: str) -> None:
    assert quantity.parse(text) == Decimal(amount)


@pytest.mark.parametrize(
    ("quantity", "text", "kind"),
    [
        (RATE, "fast", "form"),
        (RATE, "", "form"),
        (RATE, "1e6", "unit"),
        (RATE, "10", "unit"),
        (RATE, "10mbps", "unit"),
        (RATE, "7kbit", "bounds"),
        (RATE, "10.1gbit", "bounds"),
        (RATE, "0", "bounds"),
        (DELAY, "-1ms", "form"),
        (DELAY, "1.2.3ms", "form"),
        (DELAY, "11s", "bounds"),
        (ASCI, "0", "bounds"),
        (ASCI, "10", "unit"),
        (LOSS, "0.1", "unit"),
        (LOSS, "51%", "bounds"),
        (SIZE, "1MiB", "bounds"),
        (SIZE, "1TiB", "unit"),
    ],
)
def test_what_is_no_quantity_says_why(quantity: Quantity, text: str, kind: str) -> None:
    with pytest.raises(QuantityError) as caught:
        quantity.parse(text)
    assert caught.value.kind == kind
    assert caught.value.hint


def test_an_ambiguous_unit_says_what_to_write() -> None:
    with pytest.raises(QuantityError) as caught:
        RATE.parse("10mbps")
    assert "write 10mbit" in caught.value.hint
