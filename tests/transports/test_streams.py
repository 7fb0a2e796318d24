"""Bounded streams: how the bytes are cut into pieces must never change what is kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infratest.transports._streams import Kept

MARKER = b"aab\n"
pieces = st.lists(st.binary(max_size=6) | st.sampled_from([b"a", b"aa", b"aab", b"b\n", b"\n"]), max_size=12)


@given(pieces, pieces)
def test_pieces_do_not_matter(before: list[bytes], after: list[bytes]) -> None:
    whole = b"".join(before) + MARKER + b"".join(after)
    noise, output = whole[: whole.index(MARKER)], whole[whole.index(MARKER) + len(MARKER) :]
    kept = Kept(MARKER, limit=10)
    for piece in [*before, *(MARKER[at : at + 1] for at in range(len(MARKER))), *after]:
        kept.feed(piece)
    assert kept.begun
    assert kept.data == output[:10]
    assert kept.truncated == (len(output) > 10)
    assert kept.noise.startswith(noise)


def test_without_the_marker_nothing_is_output() -> None:
    kept = Kept(MARKER)
    kept.feed(b"This account is currently not available.\n")
    assert (kept.begun, kept.data, kept.noise) == (False, b"", b"This account is currently not available.\n")
