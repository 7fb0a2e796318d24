"""The room of a file system, of which a fact of one path and one of all file systems tell."""

from __future__ import annotations

from infratest.record import Record


class Space(Record):
    """The room of the file system that holds a path, as an unprivileged user may use it; `problem` as in File."""

    size: int = 0
    used: int = 0
    available: int = 0
    inodes: int = 0
    inodes_free: int = 0
    there: bool = True
    problem: str = ""

    @property
    def percent(self) -> float | None:
        """How full it is, as df counts: used of what is used and available; None where it counts nothing (/proc)."""
        return 100 * self.used / (self.used + self.available) if self.used + self.available else None

    @property
    def inode_percent(self) -> float | None:
        """How many of its inodes are used; None where it counts none (btrfs, vfat)."""
        return 100 * (self.inodes - self.inodes_free) / self.inodes if self.inodes else None

    def in_words(self) -> str:
        from infratest.units import human

        if not self.there:
            return "does not exist"
        inodes = f", {self.inodes_free} of {self.inodes} inodes free" if self.inodes else ""
        return f"{human(self.available, 'B')} of {human(self.size, 'B')} free{inodes}"
