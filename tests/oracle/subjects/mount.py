"""Mounts over mounts, with odd names and options, made in this world; held against the kernel's own mountinfo.

A path has the mount that who opens it gets to: of several on one path the last, and none that another one hides.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, Question, both, quoted


class Mount(NamedTuple):
    """What is mounted, by proc_pid_mountinfo(5)."""

    device: str
    type: str
    options: frozenset[str]


NAMES = (
    "plain",
    "two words",
    "tab\there",
    "back\\slash",
    "über",
    "it's",
    'say "so"',
    "#hash",
    "octal\\040",
    "a,b",
    " x ",
)


def objects(place: Path) -> list[str]:
    """Mount file systems; return the paths to ask about, of mounts and of none."""
    for name in NAMES:
        _mount(place / name, "-t", "tmpfs", "my tmpfs")
    _mount(place / "options", "-t", "tmpfs", "-o", "ro,noexec,nosuid,nodev,size=64k,mode=1777,noatime", "tmpfs")
    _mount(place / "over", "-t", "tmpfs", "below")
    _mount(place / "over", "-t", "ramfs", "-o", "noexec", "above")
    for name in ("source", "upper", "work", "file", "onto"):
        (place / name).mkdir() if name not in ("file", "onto") else (place / name).touch()
    _mount(place / "bound", "--bind", str(place / "source"))
    _mount(place / "bound read-only", "--bind", str(place / "source"))
    subprocess.run(["mount", "-o", "remount,bind,ro,nosuid", place / "bound read-only"], check=True)
    subprocess.run(["mount", "--bind", place / "file", place / "onto"], check=True)
    layers = f"lowerdir={place}/source,upperdir={place}/upper,workdir={place}/work"
    subprocess.run(["mount", "-t", "tmpfs", "layers", place / "work"], check=True)
    (place / "work/upper").mkdir()
    (place / "work/work").mkdir()
    layers = f"lowerdir={place}/source,upperdir={place}/work/upper,workdir={place}/work/work"
    _mount(place / "layered", "-t", "overlay", "-o", layers, "layered")
    _mount(place / "gone", "-t", "tmpfs", "gone")
    subprocess.run(["umount", place / "gone"], check=True)
    _mount(place / "outer", "-t", "tmpfs", "first")
    _mount(place / "outer/inner", "-t", "tmpfs", "inner")
    _mount(place / "outer/inner/deep", "-t", "tmpfs", "deep")
    subprocess.run(["mount", "-t", "tmpfs", "covers", place / "outer"], check=True)
    _mount(place / "shown", "-t", "tmpfs", "first")
    _mount(place / "shown/inner", "-t", "tmpfs", "inner")
    subprocess.run(["mount", "-t", "tmpfs", "covers", place / "shown"], check=True)
    _mount(place / "shown/inner", "-t", "ramfs", "again")
    (place / "link").symlink_to("plain")
    (place / "plain/below").mkdir()
    paths = [*NAMES, "options", "over", "bound", "bound read-only", "onto", "layered", "gone", "outer", "outer/inner",
             "outer/inner/deep", "shown", "shown/inner", "link", "plain/below", "source", "nosuch", "plai", "two", "a",
             "octal "]  # fmt: skip
    return [*(str(place / path) for path in paths), "/", "/proc", "/dev", "/dev/null", "/run", "/etc"]


def _mount(path: Path, *words: str) -> None:
    path.mkdir(exist_ok=True)
    subprocess.run(["mount", *words, path], check=True)


def questions(paths: list[str]) -> Iterator[Question]:
    """Ask all sentences of mounts about each path, and about it with a slash at its end."""
    mounts = _mounts()
    for path in paths:
        for written in sorted({path, f"{path.rstrip('/')}/"}):
            yield from _of(written, mounts.get(os.path.realpath(path)))


def _of(path: str, mount: Mount | None) -> Iterator[Question]:
    subject, about = f"the mount {quoted(path)}", f"{path}: {mount}"
    yield from both(f"{subject} exists", f"{subject} does not exist", mount is not None, about)
    for kind in sorted({"tmpfs", "ramfs", "ext4", "tmp", *([mount.type] if mount else [])}):
        forms = (f"{subject} is of type {quoted(kind)}", f"{subject} is not of type {quoted(kind)}")
        yield from both(*forms, mount.type == kind if mount else ABSENT, about)
    for device in sorted({"my tmpfs", "my", "below", "above", "first", "covers", *([mount.device] if mount else [])}):
        forms = (f"{subject} comes from {quoted(device)}", f"{subject} does not come from {quoted(device)}")
        yield from both(*forms, mount.device == device if mount else ABSENT, about)
    asked = {"ro", "rw", "noexec", "nosuid", "nodev", "noatime", "relatime", "mode=1777", "size=64k", "exec", "size"}
    for option in sorted(asked | (mount.options if mount else set())):
        forms = (f"{subject} has the option {quoted(option)}", f"{subject} does not have the option {quoted(option)}")
        yield from both(*forms, option in mount.options if mount else ABSENT, about)


def _mounts() -> dict[str, Mount]:
    """Return the mounts that are reached, by their paths: what the kernel gives for each path when it is opened."""
    rows, found = {}, {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        number, _, _, _, path, own, *_ = before.split(" ")
        kind, device, of_all = after.split(" ")
        # As mounts(5) joins them: what is said of this mount comes before what is said of its file system.
        options = {*own.split(","), *of_all.split(",")[1:]}
        readonly = "ro" in own.split(",") or "ro" in of_all.split(",")
        options = options - {"rw", "ro"} | {"ro" if readonly else "rw"}
        rows[int(number)] = (_plain(path), Mount(_plain(device), kind, frozenset(map(_plain, options))))
    for number, (path, mount) in rows.items():
        if _number_at(path) == number:
            found[path] = mount
    return found


def _number_at(path: str) -> int:
    """Return the id of the mount that a path leads to; -1 where it leads nowhere."""
    try:
        handle = os.open(path, os.O_PATH)
    except OSError:
        return -1
    try:
        text = Path(f"/proc/self/fdinfo/{handle}").read_text()
    finally:
        os.close(handle)
    return int(re.search(r"^mnt_id:\s*(\d+)$", text, re.MULTILINE)[1])  # type: ignore[index]


def _plain(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
