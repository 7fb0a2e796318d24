"""Headers of real packages as rpm's database holds them: read whole, and cut and changed in every way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.facts.package import rpm_database
from tests.facts.rpm_host import header, package, rpm

NAMES = ("tool-with-dash", "plain", "c++.more")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rpm")
    database = folder / "database"
    database.mkdir()
    rpm(database, "-i", package(folder, "plain", "1.0", "1"), package(folder, "c++.more", "1~rc1^git2", "1"),
        package(folder, "tool-with-dash", "1.4.0", "3.el9", "2", "x86_64"))  # fmt: skip
    return database


def test_a_whole_header_is_read_and_what_is_none_is_left_to_rpm(made):
    number, blob = header(made, "tool-with-dash")
    assert rpm_database.row_of(number, blob) == f"+\t{number}\ttool-with-dash\t2\t1.4.0\t3.el9\tx86_64"
    for odd in (b"", b"\0" * 8, b"\xff" * 8, b"\xff" * 4000, blob + b"\0", blob[:-1], blob[8:]):
        with pytest.raises(rpm_database.NotPlain):
            rpm_database.row_of(number, odd)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_header_that_was_changed_anywhere_tells_what_it_told_or_nothing(made, data):
    """Bytes changed, cut, doubled or swapped: the row of the whole header, or NotPlain; and nothing else."""
    number, blob = header(made, data.draw(st.sampled_from(NAMES)))
    right = rpm_database.row_of(number, blob)
    place = st.integers(0, len(blob)) | st.integers(0, 64)
    changed = bytearray(blob)
    for _ in range(data.draw(st.integers(1, 4))):
        begin, end = sorted((data.draw(place), data.draw(place)))
        changed[begin:end] = data.draw(
            st.binary(max_size=40) | st.just(b"") | st.just(bytes(blob[begin:end]) * 2)
        )  # fmt: skip
    try:
        assert rpm_database.row_of(number, bytes(changed)) == right
    except rpm_database.NotPlain:
        assert bytes(changed) != blob


@pytest.mark.parametrize("name", ["tool-with-dash", "plain"])
def test_every_single_byte_of_a_header_counts(made, name):
    number, blob = header(made, name)
    right, refused = rpm_database.row_of(number, blob), 0
    for at in range(len(blob)):
        try:
            assert rpm_database.row_of(number, blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]) == right
        except rpm_database.NotPlain:
            refused += 1
    # Only what stands outside of the immutable region may change unseen: where it was installed, and when.
    assert refused > len(blob) // 2
