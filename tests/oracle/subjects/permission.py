"""Modes, ACLs, flags and labels of files, held against what `os.access` says in a process of each account."""

from __future__ import annotations

import os
import pwd
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.oracle.questions import ABSENT, UNKNOWN, Question, both, quoted

NOBODY = "nobody"
USERS = ("root", NOBODY, "daemon", "mail")
WAYS = {"readable": os.R_OK, "writable": os.W_OK, "executable": os.X_OK}
#: Name -> mode, what setfacl is given, and its whole list then, written by hand.
LISTS = {
    "plain": (0o640, "", "user::rw-, group::r--, other::---"),
    "for nobody": (0o640, "u:nobody:rw", "user::rw-, user:nobody:rw-, group::r--, mask::rw-, other::---"),
    "masked": (0o600, "u:nobody:rwx,m::r", "user::rw-, user:nobody:rwx, group::---, mask::r--, other::---"),
    "for a group": (0o700, "g:daemon:rx", "user::rwx, group::---, group:daemon:r-x, mask::r-x, other::---"),
    "shut out": (0o644, "u:mail:-", "user::rw-, user:mail:---, group::r--, mask::r--, other::r--"),
}
ENTRIES = ("user:nobody:rw-", "u:nobody:rwx", "m::r", "g:daemon:rx", "u:mail:-", "other::r", "d:u:nobody:rx")
SHARED = "u::rwx, g::r-x, o::r-x, d:u::rwx, d:u:nobody:rx, d:g::rx, d:m::rx, d:o::rx"
MODES = {"setuid": 0o4755, "setgid": 0o2755, "both": 0o6711, "none": 0o755}
KINDS = {
    "regular file": stat.S_ISREG, "socket": stat.S_ISSOCK, "pipe": stat.S_ISFIFO, "block device": stat.S_ISBLK,
    "character device": stat.S_ISCHR,
}  # fmt: skip
FLAGS = {"immutable": "i", "append-only": "a", "both flags": "ia", "no flag": ""}
LABEL = "system_u:object_r:etc_t:s0"


def objects(place: Path) -> Path:
    """Make the files, on a file system of their own where it takes another one to have flags and labels."""
    place.chmod(0o755)
    _kinds(place)
    for name, (mode, entries, _) in LISTS.items():
        (place / name).touch()
        (place / name).chmod(mode)
        if entries:
            _run("setfacl", "-m", entries, place / name)
    (place / "shared").mkdir()
    _run("setfacl", "-m", "d:u:nobody:rx", place / "shared")
    (place / "behind").mkdir(mode=0o700)
    (place / "behind/file").touch()
    (place / "read-only").mkdir()
    _run("mount", "-t", "tmpfs", "-o", "mode=777", "ours", place / "read-only")
    (place / "read-only/file").touch(0o666)
    _run("mount", "-o", "remount,ro", place / "read-only")
    (place / "flags").mkdir()
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "ours", place / "flags")  # a loop device would outlive this world
    for name, flags in FLAGS.items():
        (place / "flags" / name).touch(0o644)
        if flags:
            _run("chattr", f"+{flags}", place / "flags" / name)
    (place / "flags/folder").mkdir()
    _run("chattr", "+i", place / "flags/folder")
    (place / "to immutable").symlink_to("flags/immutable")
    (place / "flags/labelled").touch()
    os.setxattr(place / "flags/labelled", "security.selinux", f"{LABEL}\0".encode())
    return place


def _run(*words: str | Path) -> None:
    subprocess.run(list(map(str, words)), check=True, capture_output=True)


def _kinds(place: Path) -> None:
    for name, mode in MODES.items():
        (place / name).touch()
        (place / name).chmod(mode)
    (place / "sticky").mkdir()
    (place / "sticky").chmod(0o1777)
    (place / "of a group").mkdir()
    (place / "of a group").chmod(0o2775)
    os.mkfifo(place / "pipe")
    os.mknod(place / "character device", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(place / "block device", 0o600 | stat.S_IFBLK, os.makedev(7, 200))
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(place / "socket"))
    (place / "to pipe").symlink_to("pipe")


def questions(place: Path) -> Iterator[Question]:
    """Ask all sentences of access, kinds, bits, lists, flags and labels."""
    names = ("none", "pipe", "socket", "block device", "character device", "to pipe", "sticky", "nosuch")
    for name in (*names, *MODES, "of a group"):
        yield from _of_kind(place / name)
    for name in (*LISTS, "shared", "behind", "behind/file", "read-only/file", "flags/immutable", "nosuch", "none"):
        yield from _of_access(place / name)
    for name, (_, _, whole) in LISTS.items():
        yield from _of_list(place / name, whole, name)
    yield from _of_list(place / "shared", SHARED, "a directory", "directory")
    for name in (*(f"flags/{flag}" for flag in FLAGS), "to immutable", "flags/folder", "nosuch", "behind/file"):
        yield from _of_flags(place / name)
    for name, label in (("flags/labelled", LABEL), ("none", ""), ("nosuch", "")):
        for asked in (LABEL, "etc_t", "s0", "shadow_t"):
            subject = f"the file {quoted(str(place / name))}"
            right = asked in (LABEL, "etc_t") if label else ABSENT
            yield from both(
                f'{subject} has the SELinux label "{asked}"', f'{subject} does not have the SELinux label "{asked}"',
                right, name,
            )  # fmt: skip
    folder = f"the directory {quoted(str(place / 'flags/folder'))}"
    forms = (f'{folder} has the SELinux label "etc_t"', f'{folder} does not have the SELinux label "etc_t"')
    yield from both(*forms, ABSENT, "a directory without a label")


def _stat(path: Path, noun: str) -> os.stat_result | None:
    """Return what is there, None where there is nothing, or what the noun does not say."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status if stat.S_ISDIR(status.st_mode) == (noun == "directory") else None


def _hidden(path: Path) -> str:
    return UNKNOWN if path.parent.name == "behind" else ""


def _of_kind(path: Path) -> Iterator[Question]:
    seen = _stat(path, "file")
    for kind, is_one in KINDS.items():
        claim = f"the file {quoted(str(path))} {{}} a {kind}"
        right = ABSENT if seen is None else is_one(seen.st_mode)
        yield from both(claim.format("is"), claim.format("is not"), right, str(path))
    for noun, bit, mask in (
        ("file", "setuid", 0o4000), ("file", "setgid", 0o2000), ("directory", "setgid", 0o2000),
        ("directory", "sticky", 0o1000),
    ):  # fmt: skip
        seen = _stat(path, noun)
        claim = f"the {noun} {quoted(str(path))} {{}} the {bit} bit"
        right = ABSENT if seen is None else bool(seen.st_mode & mask)
        yield from both(claim.format("has"), claim.format("does not have"), right, str(path))


def _of_access(path: Path) -> Iterator[Question]:
    for noun in ("file", "directory"):
        for user in (*USERS, "nosuch"):
            for way, bit in WAYS.items():
                claim = f"the {noun} {quoted(str(path))} {{}} {way} by the user {quoted(user)}"
                there = _stat(path, noun) is not None
                right = _may(path, user, bit) if there and user != "nosuch" else ABSENT
                other = UNKNOWN if there and user not in (NOBODY, "nosuch") else ""
                yield from both(
                    claim.format("is"), claim.format("is not"), right, f"{path}: {way}", _hidden(path) or other
                )


def _may(path: Path, user: str, bit: int) -> bool:
    """Ask the kernel in a child that is the account, with all its groups."""
    account = pwd.getpwnam(user)
    child = os.fork()
    if child == 0:
        status = 2
        try:
            os.initgroups(user, account.pw_gid)
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            status = 0 if os.access(path, bit) else 1
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 1), f"{path}: could not become {user}"
    return status == 0


def _of_list(path: Path, whole: str, about: str, noun: str = "file") -> Iterator[Question]:
    entries = {_written(entry) for entry in whole.split(", ")}
    subject = f"the {noun} {quoted(str(path))}"
    for entry in (*ENTRIES, *whole.split(", ")):
        forms = (f'{subject} has the ACL entry "{entry}"', f'{subject} does not have the ACL entry "{entry}"')
        yield from both(*forms, _written(entry) in entries, about)
    shorter = whole.rpartition(", ")[0]
    for asked in (whole, shorter, f"{whole}, u:bin:r"):
        forms = (f'{subject} has exactly the ACL "{asked}"', f'{subject} does not have exactly the ACL "{asked}"')
        yield from both(*forms, asked == whole, about)


def _written(entry: str) -> str:
    """Return one writing for all of an entry."""
    *parts, rights = entry.split(":")
    return ":".join([*(part[:1] if part in ("user", "group", "mask", "other") else part for part in parts), *sorted(
        set(rights) - {"-"})])  # fmt: skip


def _of_flags(path: Path) -> Iterator[Question]:
    given = "i" if path.name in ("folder", "to immutable") else FLAGS.get(path.name, "")
    for noun, claim, letter in (
        ("file", "immutable", "i"), ("directory", "immutable", "i"), ("file", "append-only", "a"),
    ):  # fmt: skip
        subject = f"the {noun} {quoted(str(path))}"
        there = _stat(path, noun) is not None
        if there and path.parent.name == "behind":
            continue  # of a file of the world's own, whose file system may keep no flags
        right = letter in given if there else ABSENT
        yield from both(f"{subject} is {claim}", f"{subject} is not {claim}", right, str(path), _hidden(path))
