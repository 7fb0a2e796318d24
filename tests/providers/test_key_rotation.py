"""The files of a key pair that another takes the place of: after each step a key is in use, and its halves agree."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from infratest.errors import StateError
from infratest.providers import _key_rotation, _public_key, _ssh_keys


def derived(path: Path) -> str:
    return subprocess.run(["ssh-keygen", "-y", "-f", path], capture_output=True, text=True, check=True).stdout


def test_another_key_takes_the_place_and_the_former_is_kept_while_it_may_be_needed(tmp_path: Path) -> None:
    former = _ssh_keys.user_key(tmp_path)[1]
    os.utime(tmp_path / "id_ed25519", (1_600_000_000, 1_600_000_000))
    following = _key_rotation.next_key(tmp_path)
    assert _key_rotation.next_key(tmp_path) == following  # one of a killed rotation is taken
    new = _ssh_keys.public_half(following)
    assert (_key_rotation.is_begun(tmp_path), _key_rotation.is_open(tmp_path)) == (True, False)
    assert _ssh_keys.user_key(tmp_path)[1] == former

    _key_rotation.switch(tmp_path)
    assert (_key_rotation.is_begun(tmp_path), _key_rotation.is_open(tmp_path)) == (False, True)
    path, public = _ssh_keys.user_key(tmp_path)
    assert _public_key.same(public, new)
    assert _public_key.same(derived(path), new)
    assert [_ssh_keys.public_half(one).split()[1] for one in _key_rotation.formers(tmp_path)] == [former.split()[1]]

    _key_rotation.end(tmp_path, keep=True, now=1_700_000_000.25)
    assert not _key_rotation.is_open(tmp_path)
    (kept,) = _key_rotation.formers(tmp_path)
    assert kept.name == "id_ed25519.former-20231114T221320.250000Z"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.stat().st_mtime == 1_600_000_000  # when it was made, not when it was replaced
    assert _key_rotation.kept(tmp_path) == {kept: 1_700_000_000.25}
    assert _public_key.same(derived(kept), former)
    _key_rotation.forget(kept)
    assert _key_rotation.formers(tmp_path) == []


def test_a_kill_between_two_files_leaves_a_key_whose_halves_agree(tmp_path: Path) -> None:
    """The steps of `switch`, done by hand up to each."""
    former = _ssh_keys.user_key(tmp_path)[1]
    new = _ssh_keys.public_half(_key_rotation.next_key(tmp_path))
    (tmp_path / "id_ed25519.former").write_bytes((tmp_path / "id_ed25519").read_bytes())
    assert (_key_rotation.is_begun(tmp_path), _key_rotation.is_open(tmp_path)) == (True, False)
    (tmp_path / "id_ed25519.pub").unlink()
    assert _public_key.same(_ssh_keys.public_half(tmp_path / "id_ed25519"), former)
    assert _public_key.same(_ssh_keys.user_key(tmp_path)[1], former)
    (tmp_path / "id_ed25519.pub").unlink()
    (tmp_path / "id_ed25519.next").replace(tmp_path / "id_ed25519")
    assert _key_rotation.is_open(tmp_path)
    assert _public_key.same(_ssh_keys.user_key(tmp_path)[1], new)
    assert _public_key.same(derived(tmp_path / "id_ed25519"), new)
    # What the kill left of the next one's public half stands in no later one's way.
    assert not _public_key.same(_ssh_keys.public_half(_key_rotation.next_key(tmp_path)), new)


def test_a_damaged_key_is_told_and_not_made_anew(tmp_path: Path) -> None:
    path, _ = _ssh_keys.user_key(tmp_path)
    path.write_text("rubbish")
    path.with_name("id_ed25519.pub").unlink()
    with pytest.raises(StateError, match=r"id_ed25519 is damaged"):
        _ssh_keys.user_key(tmp_path)
    assert path.read_text() == "rubbish"


def test_of_two_rotations_within_a_second_neither_former_key_is_lost(tmp_path: Path) -> None:
    """Some host may know the first one alone."""
    formers = []
    for number in range(3):
        formers.append(_ssh_keys.user_key(tmp_path)[1].split()[1])
        _key_rotation.next_key(tmp_path)
        _key_rotation.switch(tmp_path)
        _key_rotation.end(tmp_path, keep=True, now=1_700_000_000 + number / 10)
    assert [_ssh_keys.public_half(one).split()[1] for one in _key_rotation.formers(tmp_path)] == formers[::-1]
