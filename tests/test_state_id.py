"""The id of a state directory is read as it was made, or it is said that it cannot be."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.errors import StateError
from infratest.providers.base import Context
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


#: Where a user's state is who may not write beside the stack file, as a monitoring system's; nothing was made from it.
SYSTEM = Path("/var/lib/infratest/no-such-stack-of-these-tests")


def test_hosts_made_by_somebody_else_s_directory_are_not_said_to_be_not_made(tmp_path):
    context = Context(folder=tmp_path, state=SYSTEM, stack="shop", env="")
    assert context.state_id == ""
    beside = StateDir(tmp_path / ".infratest")
    beside.make()
    assert context.state_id == ""
    assert beside.id
    with pytest.raises(StateError, match=r"may have been made from .*/\.infratest, which this user may not write, and"):
        assert context.state_id
    assert Context(folder=tmp_path, state=tmp_path / "given", stack="shop", env="").state_id == ""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that other users may look into; pytest's own stand in one that they may not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_directory_that_may_not_be_looked_into_may_hold_anything(open_folder):
    (open_folder / ".infratest").mkdir(mode=0o700)
    program = (
        "import os, sys; from infratest import state_id; from infratest.errors import StateError\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "else: os.chmod(sys.argv[1] + '/.infratest', 0)\n"
        "try: print(state_id.of_stack(sys.argv[1], sys.argv[2]))\n"
        "except StateError: print('not known')"
    )
    words = [sys.executable, "-c", program, str(open_folder), str(SYSTEM)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "not known\n"
