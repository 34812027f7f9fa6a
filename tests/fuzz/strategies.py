"""What hypothesis sends through the doors: noise, seeds with a few bytes changed, deep nesting, long numbers."""

import re

from hypothesis import strategies as st

_DEEP = st.builds(
    lambda opening, depth, where: where[0] + opening * depth + where[1],
    st.sampled_from([b"[", b'{"a":', b"<a>"]),
    st.integers(1, 20_000),
    st.sampled_from([(b"", b""), (b'{"message":"package","tasks":', b"}"), (b'"payload":', b"")]),
)
_NUMBERS = st.sampled_from(
    [b"9" * 5000, "²".encode(), "٣".encode(), b"-1", b"1e999", b"NaN", b"Infinity", b"0x10", b"65536", b"1_0"]
)


def _spliced(seed: bytes, start: int, length: int, middle: bytes) -> bytes:
    start %= len(seed) + 1
    return seed[:start] + middle + seed[start + length :]


def _renumbered(seed: bytes, which: int, number: bytes) -> bytes:
    places = list(re.finditer(rb"\d+", seed))
    if not places:
        return seed
    place = places[which % len(places)]
    return seed[: place.start()] + number + seed[place.end() :]


def bytes_like(seeds: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """Bytes that have something in common with the seeds, and bytes that have nothing."""
    changed = st.builds(
        _spliced,
        st.sampled_from(seeds),
        st.integers(0, 4096),
        st.integers(0, 40),
        st.one_of(st.binary(max_size=40), _NUMBERS, _DEEP, st.text(max_size=20).map(lambda text: text.encode("utf-8"))),
    )
    renumbered = st.builds(_renumbered, st.sampled_from(seeds), st.integers(0, 40), _NUMBERS)
    return st.one_of(changed, renumbered, st.binary(max_size=2048), _DEEP, st.sampled_from(seeds))
