"""rpm's own database read natively: the rows that the snippet of the fact `package` prints, without running rpm.

Called by the fact `package` alone, and imported only where rpm keeps this machine's packages, for sqlite costs some
milliseconds. What is read is rpm's current format, `rpmdb.sqlite`; whatever is not plain (an older format, a database
that is changing, damaged or not to be read as this user, a header whose digest is not its own) is left to rpm itself.

The database is read only while it rests: rpm first appends a change to `-wal`, and empties that file at its end. It is
then opened as one that nobody changes (`immutable`, sqlite.org/uri.html): no file is made, no lock taken, nothing
touched; and what was read counts if by its times no one has changed it meanwhile.
A header: rpm's docs/manual/format_header.md, and format_v4.md for the immutable region that its digest is over.
"""

from __future__ import annotations

import sys

from infratest.cleaning import decoded
from infratest.facts import _machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Any

#: Tags of a header and types of their values: rpm's include/rpm/rpmtag.h.
IMMUTABLE, DIGEST = 63, 273
NAME, VERSION, RELEASE, EPOCH, ARCHITECTURE = 1000, 1001, 1002, 1003, 1022
INT32, STRING, BINARY = 4, 6, 7

#: What stands before a header in a package file, and is part of what its digest is over: magic, version, reserved.
MAGIC = b"\x8e\xad\xe8\x01\0\0\0\0"

#: Bytes of an index entry (tag, type, offset, count), and of the two counts before the first.
ENTRY, COUNTS = 16, 8

#: Bytes of the largest header that is read here (those of the largest packages are of some MiB), packages of one name,
#: and steps of sqlite's machine for one question; beyond them rpm is asked.
LARGEST, MOST, STEPS = 2**24, 1000, 10**7

QUESTION = """
SELECT n.hnum, CASE WHEN length(p.blob) <= ? THEN p.blob END
FROM Name AS n LEFT JOIN Packages AS p ON p.hnum = n.hnum WHERE n.key = ? LIMIT ?
"""


class NotPlain(Exception):
    """A header or a database that is left to rpm."""


#: The rows that were read last, by folder and names, with the stamp of the database that they were read from.
_last: tuple[Any, Any, list[str]] = (None, None, [])


def rows_of(folder: str, labels: Collection[str]) -> list[str] | None:
    """Return the rows of all packages that these labels may mean, out of the database in a folder; None: ask rpm.

    A database that is the one read last is not read again.

    Args:
        folder: where rpm keeps it; a path without characters that mean something in a URI.
        labels: names, alone or with version, release or architecture, as `rpm -q` takes them.
    """
    global _last
    if not all(label.isascii() and label.isprintable() for label in labels):
        return None
    names = frozenset([name for label in labels for name in _names(label)])
    path = f"{folder}/rpmdb.sqlite"
    stamp = _stamp(path)
    if stamp is None:
        return None
    asked, read, rows = _last
    if (asked, read) == ((folder, names), stamp):
        return rows
    try:
        rows = _read(path, names)
    except (NotPlain, ImportError):
        return None
    if _stamp(path) != stamp:
        return None
    _last = ((folder, names), stamp, rows)
    return rows


def _stamp(path: str) -> tuple[int, ...] | None:
    """Return what changes when the database does; None where it does not rest.

    A change stands in `-wal` before it is in the database, what it takes back in `-journal` where there is no `-wal`.
    """
    return None if _machine.filled(f"{path}-wal") or _machine.filled(f"{path}-journal") else _machine.stamp(path)


def _names(label: str) -> Iterator[str]:
    """Return the names that a label may begin with: NAME[-[EPOCH:]VERSION[-RELEASE]][.ARCHITECTURE]."""
    for one in (label, label.rpartition(".")[0]):
        without_release = one.rpartition("-")[0]
        yield from (one, without_release, without_release.rpartition("-")[0])


def _read(path: str, names: Collection[str]) -> list[str]:
    """Return the rows of these names.

    Raises:
        NotPlain: rpm must be asked. ImportError: this Python has no sqlite.
    """
    # The C module itself: what is around it costs as much again to import.
    sqlite: Any = __import__("_sqlite3")
    try:
        database = sqlite.connect(f"file:{path}?mode=ro&immutable=1", isolation_level=None, uri=True)
        try:
            database.set_progress_handler(lambda: True, STEPS)
            if not database.execute("SELECT 1 FROM Packages LIMIT 1").fetchone():
                raise NotPlain("a database without any package")
            return [row for name in sorted(names) if name for row in _of_name(database, name)]
        finally:
            database.close()
    except sqlite.Error as error:
        raise NotPlain(str(error)) from None


def _of_name(database: Any, name: str) -> list[str]:
    found = database.execute(QUESTION, (LARGEST, name, MOST + 1)).fetchall()
    if len(found) > MOST:
        raise NotPlain(f"more than {MOST} packages of one name")
    rows = []
    for number, blob in found:
        if not isinstance(number, int) or not isinstance(blob, bytes):
            raise NotPlain("a package without a header")
        row = row_of(number, blob)
        if row.split("\t")[2] != name:
            raise NotPlain("a header of another package")
        rows.append(row)
    return rows


def row_of(number: int, blob: bytes) -> str:
    """Return the row of one package, by its header as the database holds it.

    Raises:
        NotPlain: it is not a whole header whose digest is right, or has values that no package should have.
    """
    header = Header(blob)
    epoch = header.number(EPOCH)
    fields = [header.text(NAME), epoch, header.text(VERSION), header.text(RELEASE), header.text(ARCHITECTURE)]
    if not (fields[0] and fields[2] and fields[3]):
        raise NotPlain("a header without a name, a version or a release")
    return "\t".join(["+", str(number), *("(none)" if field is None else field for field in fields)])


class Header:
    """A package's header: what its immutable region holds, once its digest was found right.

    Raises:
        NotPlain: see `row_of`.
    """

    def __init__(self, blob: bytes) -> None:
        entries, size = (int.from_bytes(blob[at : at + 4], "big") for at in (0, 4))
        start = COUNTS + ENTRY * entries
        if not entries or len(blob) != start + size:
            raise NotPlain("a header of another length than it says")
        self._index, self._data = blob[COUNTS:start], blob[start:]
        entries_inside, size_inside = self._region()
        digest = self._found(DIGEST, STRING, entries_inside * ENTRY, len(self._index), self._data)
        self._index, outside = self._index[: entries_inside * ENTRY], self._data
        self._data = outside[:size_inside]
        if digest is None or self._digest(entries_inside, size_inside) != _string(outside, digest):
            raise NotPlain("a header whose digest is not there or not right")

    def text(self, tag: int) -> str | None:
        """Return a string of the region, None where it has none."""
        at = self._found(tag, STRING, 0, len(self._index), self._data)
        if at is None:
            return None
        value = decoded(_string(self._data, at))
        if not (value.isascii() and value.isprintable()):
            raise NotPlain("a string that is not plain text")
        return value

    def number(self, tag: int) -> str | None:
        """Return a number of the region as it is written, None where it has none."""
        at = self._found(tag, INT32, 0, len(self._index), self._data)
        if at is None:
            return None
        if at + 4 > len(self._data):
            raise NotPlain("a number outside of its header")
        return str(int.from_bytes(self._data[at : at + 4], "big"))

    def _region(self) -> tuple[int, int]:
        """Return entries and bytes of data of the immutable region: its last 16 bytes of data say how far it goes."""
        tag, kind, at, count = _entry(self._index, 0)
        end = at + ENTRY
        if (tag, kind, count) != (IMMUTABLE, BINARY, ENTRY) or end > len(self._data):
            raise NotPlain("a header without an immutable region")
        tag, kind, back, count = _entry(self._data, at)
        length = 2**32 - back
        if (tag, kind, count) != (IMMUTABLE, BINARY, ENTRY) or length % ENTRY or not 0 < length <= len(self._index):
            raise NotPlain("an immutable region that does not fit its header")
        return length // ENTRY, end

    def _digest(self, entries: int, size: int) -> bytes:
        # hashlib would be dear, and this is no secret.
        sha256 = __import__("_sha2" if sys.version_info >= (3, 12) else "_sha256").sha256
        made = sha256(MAGIC + entries.to_bytes(4, "big") + size.to_bytes(4, "big") + self._index + self._data)
        return bytes(made.hexdigest(), "ascii")

    def _found(self, tag: int, kind: int, begin: int, end: int, data: bytes) -> int | None:
        """Return where the one value of a tag begins in the data, None where the index has no such tag."""
        wanted = tag.to_bytes(4, "big")
        found = [at for at in range(begin, end, ENTRY) if self._index.startswith(wanted, at)]
        if not found:
            return None
        _, seen, offset, count = _entry(self._index, found[0])
        if len(found) > 1 or (seen, count) != (kind, 1) or offset >= len(data):
            raise NotPlain("an entry that does not fit its header")
        return offset


def _entry(data: bytes, at: int) -> tuple[int, int, int, int]:
    tag, kind, offset, count = (int.from_bytes(data[one : one + 4], "big") for one in range(at, at + ENTRY, 4))
    return tag, kind, offset, count


def _string(data: bytes, at: int) -> bytes:
    end = data.find(b"\0", at)
    if end < 0:
        raise NotPlain("a string without an end")
    return data[at:end]
