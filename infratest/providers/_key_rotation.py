"""The files of a stack's key pair while another takes its place: at any moment the one in use lets in, whatever dies.

    id_ed25519              in use: what every host must let in
    id_ed25519.next         made, and not in use yet
    id_ed25519.former       no longer in use; some host may let it in still, until the rotation has ended
    id_ed25519.former-WHEN  of an ended rotation; kept for hosts that may come back as they were before it

Called by lifecycle/rotation.py under the stack's lock; only `formers` is asked at other times.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from infratest.errors import StateError
from infratest.providers import _ssh_keys
from infratest.providers._ssh_keys import NAME

NEXT, FORMER = f"{NAME}.next", f"{NAME}.former"
#: Of a kept one: when it was replaced. To the microsecond: two rotations may end in one second, and none may be lost.
WHEN = "%Y%m%dT%H%M%S.%fZ"


def next_key(folder: Path) -> Path:
    """Return the private key that is to be the next one, made where none is; one of a killed rotation is taken."""
    return _ssh_keys.user_key(folder, NEXT)[0]


def is_begun(folder: Path) -> bool:
    """Whether a next key is there that is not in use."""
    return (folder / NEXT).exists()


def is_open(folder: Path) -> bool:
    """Whether the next key is in use, and hosts may still let the former one in."""
    return (folder / FORMER).exists() and not is_begun(folder)


def switch(folder: Path) -> None:
    """Have the next key be the one in use. All hosts must let both in. Raises StateError: it is the former still."""
    with _ssh_keys.locked(folder):
        try:
            _copy(folder / NAME, folder / FORMER)
            # Without a public half beside it a private key speaks for itself; with another's, ssh would not sign.
            (folder / f"{NAME}.pub").unlink(missing_ok=True)
            _take(folder / NEXT, folder / NAME)
            (folder / f"{NEXT}.pub").unlink(missing_ok=True)
        except OSError as error:
            raise StateError(f"the stack's SSH key {folder / NAME} could not be replaced: {error.strerror}") from error
    _ssh_keys.user_key(folder)


def end(folder: Path, keep: bool, now: float) -> None:
    """End a rotation: hosts let the former key in no more.

    Args:
        keep: for hosts that are not there to be told, or may come back as they were. now: seconds since the epoch.
    """
    former = folder / FORMER
    try:
        if keep:
            _take(former, folder / f"{FORMER}-{datetime.fromtimestamp(now, UTC).strftime(WHEN)}")
        else:
            former.unlink(missing_ok=True)
    except OSError as error:
        raise StateError(f"the stack's former SSH key {former} could not be put away: {error.strerror}") from error


def kept(folder: Path) -> dict[Path, float]:
    """Return the keys of ended rotations, the last one first, and when each was replaced in seconds since the epoch."""
    found = {}
    for path in folder.glob(f"{FORMER}-*"):
        try:
            found[path] = datetime.strptime(path.name.removeprefix(f"{FORMER}-"), WHEN).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue  # somebody else's file
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def forget(path: Path) -> None:
    """Remove a kept key and what stands beside it. Raises StateError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StateError(f"the stack's former SSH key {path} could not be removed: {error.strerror}") from error


def formers(folder: Path) -> list[Path]:
    """Return the private keys that were in use before, the last one first: a host may know no later one."""
    return [*([folder / FORMER] if (folder / FORMER).exists() else []), *kept(folder)]


def _copy(source: Path, target: Path) -> None:
    """Have a copy under another name; when the key was made is read of its file, and goes with it."""
    status = source.stat()
    _ssh_keys.replace(target, source.read_bytes())
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _take(source: Path, target: Path) -> None:
    """Have a file be under another name, and that on the disk."""
    source.replace(target)
    handle = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
