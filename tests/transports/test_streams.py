"""Bounded streams: how the bytes are cut into pieces must never change what is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest.transports._streams import Kept, MarkedStream

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


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    "text, data, status",
    [
        (b"noise\nMARK\nMARK 0\n", b"", 0),
        (b"MARK\nwords\nMARK 137\n", b"words\n", 137),
        (b"MARK\nno end of lineMARK 3\n", b"no end of line", 3),
        (b"MARK\nbefore\nMARK 0\nof a daemon", b"before\nof a daemon", 0),
        (b"MARK\nMARKMARK MAR", b"MARKMARK MAR", None),
        (b"MARK\ncut off MARK 1", b"cut off MARK 1", None),
        (b"MARK\ncut off MA", b"cut off MA", None),
    ],
)
def test_the_status_at_the_end(text: bytes, data: bytes, status: int | None, size: int) -> None:
    told = MarkedStream("MARK")
    for at in range(0, len(text), size):
        told.feed(text[at : at + size])
    assert (told.data, told.status) == (data, status)


def test_the_status_comes_after_what_is_cut_off() -> None:
    told = MarkedStream("MARK", limit=10)
    told.feed(b"MARK\n" + bytes(100))
    told.feed(b"MARK 7\n")
    assert (told.data, told.status, told.truncated) == (bytes(10), 7, True)
