"""How a broadcast is forged."""

import pytest

from epolab.verify.segment_calls import forged

ENVELOPE = b'{"sender":"hq/epo","nonce":"%s","payload":"e30=","signature":"AA=="}'


@pytest.mark.parametrize("nonce", [b"0a1b", b"f00d"])
def test_a_forged_broadcast_differs_in_what_is_signed_and_in_nothing_else(nonce: bytes) -> None:
    real = ENVELOPE % nonce
    fake = forged(real)
    assert len(fake) == len(real) and sum(a != b for a, b in zip(real, fake, strict=True)) == 1
    assert fake.split(b'"nonce":"')[1][1:] == real.split(b'"nonce":"')[1][1:]
