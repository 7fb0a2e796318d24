"""The id of a state directory is read as it was made, or it is said that it cannot be."""

from __future__ import annotations

import pytest

from infratest.errors import StateError
from infratest.state_id import read
from infratest.store.directory import StateDir


def test_it_is_what_the_directory_was_given(tmp_path):
    assert read(tmp_path) == ""
    assert read(tmp_path / "nowhere") == ""
    assert read(tmp_path) == "" != StateDir(tmp_path).id == read(tmp_path)


@pytest.mark.parametrize("data", [b"", b"\n", b"\0" * 16, b"\xff\xfe", b"two words\n", b"../../x\n", b"{}"])
def test_one_that_is_damaged_is_no_other_id(tmp_path, data):
    (tmp_path / "id").write_bytes(data)
    for reading in (lambda: read(tmp_path), lambda: StateDir(tmp_path).id):
        with pytest.raises(StateError, match=r"/id is damaged .*their label infratest\.state"):
            reading()
    assert (tmp_path / "id").read_bytes() == data


def test_a_place_that_cannot_be_looked_at_is_not_one_from_which_nothing_was_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="could not be read: Not a directory; name another with --state"):
        read(tmp_path / "file")
    (tmp_path / "id").symlink_to("id")
    for reading in (lambda: read(tmp_path), lambda: StateDir(tmp_path).id):
        with pytest.raises(StateError, match="could not be read: Too many levels of symbolic links"):
            reading()
