"""Root in the state directory of another user: what it writes there is that user's, and leads root nowhere else."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.errors import StateError
from infratest.heal.pause import pause, paused_until, resume
from infratest.store.as_owner import as_owner
from infratest.store.directory import StateDir

NOBODY = 65534
NOON = 1_800_000_000.0
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture
def theirs() -> Iterator[StateDir]:
    # Not below pytest's own folder, which another user may not enter.
    with tempfile.TemporaryDirectory(prefix="theirs-") as folder:
        os.chown(folder, NOBODY, NOBODY)
        yield StateDir(folder)
        os.chown(folder, 0, 0)


def test_root_pauses_and_resumes_what_another_user_heals(theirs: StateDir) -> None:
    assert pause(theirs, 7200.0, NOON) == NOON + 7200
    info = (theirs.path / "pause.json").stat()
    assert (info.st_uid, info.st_gid, info.st_mode & 0o777) == (NOBODY, NOBODY, 0o600)
    assert (os.geteuid(), os.getegid(), paused_until(theirs, NOON)) == (0, 0, NOON + 7200)
    assert resume(theirs) is True
    assert not (theirs.path / "pause.json").exists()


def test_a_link_there_leads_root_to_nothing_that_the_user_may_not_write(theirs: StateDir, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("root's own")
    (theirs.path / f".pause.json.{os.getpid()}").symlink_to(mine)
    with pytest.raises(StateError, match="Permission denied"):
        pause(theirs, 7200.0, NOON)
    assert mine.read_text() == "root's own"


def test_whatever_else_root_writes_there_is_refused_with_the_user_to_be(theirs: StateDir) -> None:
    with pytest.raises(StateError, match=r"is of user nobody, .* as with `sudo -u nobody`"):
        theirs.write("kept.json", "{}")
    assert not (theirs.path / "kept.json").exists()


def test_a_user_without_a_name_is_told_as_sudo_takes_it(theirs: StateDir) -> None:
    os.chown(theirs.folder, 54321, 54321)
    with pytest.raises(StateError, match=r"is of user '#54321', .* as with `sudo -u '#54321'`"):
        theirs.make()


def test_it_is_root_again_whatever_happens_and_of_its_own_stays_root(theirs: StateDir, tmp_path: Path) -> None:
    groups = os.getgroups()
    seen = []

    def fail() -> None:
        seen.append((os.geteuid(), os.getgroups()))
        raise ValueError("on the way")

    with pytest.raises(ValueError, match="on the way"), as_owner(theirs):
        fail()
    assert seen == [(NOBODY, [])]
    assert (os.geteuid(), os.getegid(), os.getgroups()) == (0, 0, groups)
    for own in (tmp_path, tmp_path / "none"):
        with as_owner(StateDir(own)):
            assert os.geteuid() == 0


def test_who_cannot_become_that_user_is_told_which_one(theirs: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    really = os.setgroups

    def refused(groups: list[int]) -> None:
        if not groups:
            raise PermissionError(1, "Operation not permitted")
        really(groups)

    monkeypatch.setattr(os, "setgroups", refused)
    with pytest.raises(StateError, match="is of user nobody, whom this process cannot become"):
        pause(theirs, 7200.0, NOON)
