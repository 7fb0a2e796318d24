"""Files, directories and links of every type, mode, owner, name and content, held against os.stat and os.readlink."""

from __future__ import annotations

import bz2
import contextlib
import errno
import grp
import gzip
import lzma
import os
import pwd
import random
import socket
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.oracle.questions import ABSENT, UNKNOWN, Question, answers, both, bounds, quoted

#: Of which no name service knows a name.
NAMELESS = 54321
NOBODY = 65534
#: What stat(1), and by it testinfra, says of an owner without a name.
NO_NAME = "UNKNOWN"

CONTENTS = {
    "empty": b"",
    "one byte": b"x",
    "one line": b"needle\n",
    "no line end": b"hay\nneedle",
    "crlf": b"first\r\nneedle\r\nlast\r\n",
    "nul": b"a\0needle\0b",
    "nuls before": b"\0" * 70_000 + b"needle",
    "large": b"hay and more hay\n" * 70_000 + b"needle\n" + b"hay\n" * 9,
    "large, none": b"hay and more hay\n" * 70_000,
    "large, split": b"x" * (2**20 - 3) + b"needle" + b"x" * 5000,
    "latin-1": b"caf\xe9 needle \xff\xfe\n",
    "utf-8": "Grüße, нити, needle ✓\n".encode(),
    "bom": b"\xef\xbb\xbfneedle\n",
    "pattern": b"a.c [x]* $HOME `id` \\n \"quoted\" 'single' -e --\n",
    "almost": b"needl\needle\nneed le\n",
    "frames": b"== end\n\n\n--\n__\n==> /etc/passwd <==\nneedle\n",
}  # fmt: skip
#: What is not known of: their bytes are not those that they were made of. The large one is searched where it lies.
PACKED = {
    "gzip": gzip.compress(b"needle\n", mtime=0),
    "bzip2": bz2.compress(b"needle\n"),
    "bzip2, empty": bz2.compress(b""),
    "xz": lzma.compress(b"needle\n"),
    "zstd": b"\x28\xb5\x2f\xfd\x24\x07\x39\x00\x00needle\n",
    "gzip, large": gzip.compress(random.Random(1).randbytes(90_000) + b"needle\n", mtime=0),
    "utf-16": "needle\n".encode("utf-16"),
    "utf-16, large": ("needle\n" * 9_000).encode("utf-16"),
}
CONTENTS |= PACKED | {"no bzip2": b"BZh9 needle\n", "no gzip": b"\x1f\x8bneedle\n"}
TEXTS = (
    "needle", "x", "hay\\n", "a.c", "abc", "[x]*", "$HOME", "`id`", "\\n", '"quoted"', "'single'", "-e", "--", "é", "ü",
    "Grüße", "✓", "\ufeffneedle", "needle\t", "needle ", " needle", "neédle", "NEEDLE", "hay and more hay", "xneedlexx",
)  # fmt: skip
NAMES = (
    "two words", "  blanks  ", "quote'", 'double"quote', "a'b\"c", "back\\slash", "\\n", "$HOME", "`id`", "$(id)",
    "a;b", "a|b", "a&b", "a>b", "-n", "--help", "*", "?", "[a]", "{b}", "~", "#hash", "!bang", "über", "файл", "日本",
    "é", "e\u0301", "tab\there", "%s%n", "a:b", "==> x <==", ".", "..hidden", "x" * 255, "\u200bzero", "😀",
)  # fmt: skip
MODES = (0, 0o1, 0o7, 0o77, 0o100, 0o444, 0o600, 0o640, 0o644, 0o755, 0o777, 0o1777, 0o2755, 0o4755, 0o6711, 0o7777)


def objects(place: Path) -> list[Path]:
    """Make them and return their paths, and some at which there is nothing."""
    made = [*_contents(place / "contents"), *_named(place / "named"), *_modes(place / "modes")]
    made += [*_kinds(place / "kinds"), *_owned(place / "owned"), *_shut(place / "shut")]
    made += [Path("/"), Path("/proc/1/status"), Path("/proc"), Path("/etc/passwd/x"), Path("/dev/null")]
    made += [place / "nowhere", place / "no/where", place / ("y" * 256), Path("/proc/1/exe"), Path("/etc/shadow")]
    return made


def _contents(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    for name, data in CONTENTS.items():
        (folder / name).write_bytes(data)
        yield folder / name


def _named(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    for name in NAMES:
        if name != ".":
            (folder / name).write_text(f"in {name}\nneedle\n")
        yield folder / name
    for name in ("a dir", "-d", "*dir", "glob"):
        (folder / name).mkdir()
        yield folder / name
    for name in ("link to -n", "link*"):
        (folder / name).symlink_to("-n")
        yield folder / name


def _modes(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    for mode in MODES:
        file, directory = folder / f"file {mode:o}", folder / f"directory {mode:o}"
        file.write_text("needle\n")
        directory.mkdir()
        (directory / "inside").write_text("needle\n")
        for path in (file, directory):
            path.chmod(mode)
            yield path
        yield directory / "inside"


def _kinds(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    (folder / "file").write_text("needle\n")
    os.link(folder / "file", folder / "hard link")
    os.mkfifo(folder / "pipe")
    os.mknod(folder / "character device", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod(folder / "block device", 0o600 | stat.S_IFBLK, os.makedev(7, 200))
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "socket"))
    (folder / "directory").mkdir()
    links = {
        "to file": "file", "to directory": "directory", "to slash": "directory/", "to link": "to file", "loop": "loop",
        "dangling": "gone", "to pipe": "pipe", "absolute": str(folder / "file"), "through": "directory/../file",
        "quoted": "it's \"here\"", "blank": " ", "line\tend": "a\tb", "to null": "/dev/null", "ring a": "ring b",
        "ring b": "ring a", "to root": "/",
        "long": "z/" * 1500 + "z", "no dir": "file/x", "über": "файл", "dash": "-n",
    }  # fmt: skip
    for name, target in links.items():
        os.symlink(target, folder / name)  # noqa: PTH211 - a Path drops a slash at the end
    yield from sorted(folder.iterdir())


def _owned(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    for uid, gid in ((0, 0), (NAMELESS, NAMELESS), (1, 2), (NOBODY, NOBODY), (2**31 + 5, 2**32 - 2)):
        path, directory = folder / f"of {uid}", folder / f"directory of {uid}"
        path.write_text("needle\n")
        directory.mkdir()
        for one in (path, directory):
            os.chown(one, uid, gid)
            yield one
    for age in (0, 100, 100_000, 10**9):
        path = folder / f"of {age} s ago"
        path.write_text("x")
        os.utime(path, (time.time() - age,) * 2)
        yield path


def _shut(folder: Path) -> Iterator[Path]:
    """What lies behind a folder that root alone may enter, and links to it."""
    folder.mkdir()
    (folder / "open").mkdir()
    (folder / "open/link").symlink_to("../behind/file")
    behind = folder / "behind"
    behind.mkdir()
    (behind / "file").write_text("needle\n")
    (behind / "link").symlink_to("file")
    behind.chmod(0o700)
    yield from (behind, behind / "file", behind / "link", behind / "none", folder / "open/link")


def questions(paths: list[Path]) -> Iterator[Question]:
    """Ask all sentences of files, directories and links about each."""
    for path in paths:
        seen = _stat(path, os.stat)
        other = "" if _reached(path) else UNKNOWN
        for noun in ("directory", "path"):
            yield from _of(path, noun, seen, other)
        yield from _of_link(path)
        if str(path) != "/":  # what ends in a slash is refused as the name of a file
            yield from _of(path, "file", seen, other)
            yield from _content(path, seen, other)


def _stat(path: Path, how: Callable[[Path], os.stat_result]) -> os.stat_result | str:
    """Return what there is; ABSENT; or UNKNOWN where a path leads nowhere at all, which is no word on what is there."""
    try:
        return how(path)
    except OSError as error:
        return UNKNOWN if error.errno in (errno.ELOOP, errno.ENAMETOOLONG) else ABSENT


def _reached(path: Path, target: bool = True) -> bool:
    """Whether who is not root may look at a path: every folder on the way lets others through, or is its own."""
    if str(path) == "/proc/1/exe":
        return False  # a link that root alone may read or follow
    folder = Path(os.path.realpath(path)).parent if target else path.parent
    on_way = [*path.parents, *([folder, *folder.parents] if target else [])]
    return all(_allows(one, 1) for one in on_way)


def _allows(path: Path, bit: int) -> bool:
    """Whether the mode of what is there allows `nobody` this: 4 to read, 1 to go through."""
    status = _stat(path, os.stat)
    if isinstance(status, str) or (bit == 1 and not stat.S_ISDIR(status.st_mode)):
        return True
    shift = 6 if status.st_uid == NOBODY else 3 if status.st_gid == NOBODY else 0
    return bool(status.st_mode >> shift & bit)


def _forms(subject: str, claim: str, negation: str) -> tuple[str, str]:
    return f"{subject} {claim}", f"{subject} {negation}"


def _of(path: Path, noun: str, seen: os.stat_result | str, other: str) -> Iterator[Question]:
    subject, about = f"the {noun} {quoted(str(path))}", str(path)
    if noun != "path" and not isinstance(seen, str) and stat.S_ISDIR(seen.st_mode) != (noun == "directory"):
        seen = ABSENT
    there = seen if seen == UNKNOWN else seen != ABSENT
    yield from both(*_forms(subject, "exists", "does not exist"), there, about, other)
    for owner, right in _among(seen, {"root", "nobody", NO_NAME, "0", str(NAMELESS)}, _owners):
        forms = _forms(subject, f"is owned by {quoted(owner)}", f"is not owned by {quoted(owner)}")
        yield from both(*forms, right, about, other)
        if noun == "path":
            continue
        many = quoted(f"no-such-one, {owner}")
        forms = _forms(subject, f"is owned by one of {many}", f"is owned by none of {many}")
        yield from both(*forms, right or ABSENT, about, other)
    for group, right in _among(seen, {"root", "nogroup", NO_NAME, "0"}, _groups):
        verbs = (f"belongs to the group {quoted(group)}", f"does not belong to the group {quoted(group)}")
        yield from both(*_forms(subject, *verbs), right, about, other)
        if noun == "path":
            continue
        many = quoted(f"{group},no-such-one")
        verbs = (f"belongs to one of the groups {many}", f"belongs to none of the groups {many}")
        yield from both(*_forms(subject, *verbs), right or ABSENT, about, other)
    for mode, right in _modes_of(seen):
        verbs = (f'has mode "{mode}"', f'does not have mode "{mode}"')
        yield from both(*_forms(subject, *verbs), right, about, other)
        if noun != "path":
            verbs = (f'has one of the modes "{mode}, {mode}"', f'has none of the modes "{mode}, {mode}"')
            yield from both(*_forms(subject, *verbs), right, about, other)
    for mode in () if noun == "path" else ("0000", "0640", "0644", "0755", "1777", "7777"):
        verbs = (f'has at most mode "{mode}"', f'does not have at most mode "{mode}"')
        within = seen if isinstance(seen, str) else stat.S_IMODE(seen.st_mode) | int(mode, 8) == int(mode, 8)
        yield from both(*_forms(subject, *verbs), within, about, other)
    if noun == "file":
        size = seen if isinstance(seen, str) else seen.st_size
        yield from bounds(f"{subject} is {{}} in size", size, about, " B", unprivileged=other)
        yield from _age(subject, seen, about, other)


def _among(
    seen: os.stat_result | str, others: set[str], names: Callable[[os.stat_result], set[str]]
) -> Iterator[tuple[str, bool | str]]:
    """Return names to ask about, and whether each is right."""
    right = set() if isinstance(seen, str) else names(seen)
    for name in sorted(others | right):
        # A name that nobody has is the owner of nothing, and who writes that it is not is not right either.
        yield name, seen if isinstance(seen, str) else name in right or (ABSENT if name == NO_NAME else False)


def _owners(status: os.stat_result) -> set[str]:
    with contextlib.suppress(KeyError):
        return {str(status.st_uid), pwd.getpwuid(status.st_uid).pw_name}
    return {str(status.st_uid), NO_NAME}


def _groups(status: os.stat_result) -> set[str]:
    with contextlib.suppress(KeyError):
        return {str(status.st_gid), grp.getgrgid(status.st_gid).gr_name}
    return {str(status.st_gid), NO_NAME}


def _modes_of(seen: os.stat_result | str) -> Iterator[tuple[str, bool | str]]:
    """Return modes to ask about, in three digits where that will do, too; and whether each is right."""
    mode = 0o644 if isinstance(seen, str) else stat.S_IMODE(seen.st_mode)
    for asked in sorted({mode, mode ^ 1, mode ^ 0o1000, mode ^ 0o4000, mode ^ 0o200, 0o755, 0o4755}):
        for written in sorted({f"{asked:04o}", f"{asked:03o}"}):
            yield written, seen if isinstance(seen, str) else asked == mode


def _age(subject: str, seen: os.stat_result | str, about: str, other: str) -> Iterator[Question]:
    """Ask far from the bound: the time goes on while it is asked."""
    if about.startswith(("/proc", "/dev")):
        return
    age = seen if isinstance(seen, str) else time.time() - seen.st_mtime
    for limit, seconds in (("1 h", 3600), ("26 h", 93_600), ("3 days", 259_200), ("20000 days", 1_728_000_000)):
        for words, holds in (("less than", True), ("at most", True), ("more than", False), ("at least", False)):
            right = age if isinstance(age, str) else (age < seconds) == holds
            text = f"{subject} was changed {words} {limit} ago"
            yield Question(text, answers(right)[0], about, other)


def _of_link(path: Path) -> Iterator[Question]:
    subject, about = f"the link {quoted(str(path))}", str(path)
    seen = _stat(path, os.lstat)
    if not isinstance(seen, str) and not stat.S_ISLNK(seen.st_mode):
        seen = ABSENT
    other = "" if _reached(path, target=False) else UNKNOWN
    there = seen if seen == UNKNOWN else seen != ABSENT
    yield from both(*_forms(subject, "exists", "does not exist"), there, about, other)
    if about.startswith("/proc"):
        return  # its target is another one for who asks
    # A Path drops a slash at the end.
    target = os.readlink(path) if there is True else ""  # noqa: PTH115
    for written in sorted({target, target + "/", target.rstrip("/"), os.path.realpath(path), "file"} - {""}):
        forms = _forms(subject, f"points to {quoted(written)}", f"does not point to {quoted(written)}")
        yield from both(*forms, seen if isinstance(seen, str) else target == written, about, other)


def _content(path: Path, seen: os.stat_result | str, other: str) -> Iterator[Question]:
    subject, about = f"the file {quoted(str(path))}", str(path)
    if about.startswith("/proc"):
        return  # it is another one for who asks
    if not isinstance(seen, str) and not stat.S_ISREG(seen.st_mode):
        seen = ABSENT
    data = b"" if isinstance(seen, str) else path.read_bytes()
    other = other or ("" if isinstance(seen, str) or _allows(path, 4) else UNKNOWN)
    packed = path.parent.name == "contents" and path.name in PACKED
    for text in TEXTS if path.parent.name == "contents" and not packed else ("needle", "nothing of it"):
        forms = _forms(subject, f"contains {quoted(text)}", f"does not contain {quoted(text)}")
        right = seen if isinstance(seen, str) else UNKNOWN if packed else text.encode() in data
        yield from both(*forms, right, about, other)
