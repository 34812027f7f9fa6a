"""Whatever is no record is a MessageError: malformed, of another type, no text, nested without end."""

import msgspec
import pytest

from miniepo.errors import MessageError
from miniepo.protocol.decoding import decoded


class _Pair(msgspec.Struct):
    a: int


_PAIR = msgspec.json.Decoder(_Pair)


def test_a_record_comes_back() -> None:
    assert decoded(_PAIR, b'{"a": 1}', "a pair") == _Pair(1)


@pytest.mark.parametrize(
    "data", [b"", b"{", b'{"a":"1"}', b'{"a":"\xff"}', b'{"b":' + b"[" * 100_000 + b"]" * 100_000 + b"}"]
)
def test_everything_else_is_no_record(data: bytes) -> None:
    with pytest.raises(MessageError, match=r"^not a pair: "):
        decoded(_PAIR, data, "a pair")
