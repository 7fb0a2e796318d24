"""What is found on a host: the values that facts read and checks look at.

Made by facts/ (each file's `read`), read by checks/ and by whatever compares two moments. Absence is a value too: a
package that is not installed, a file that does not exist. Sizes are in bytes, times in seconds, shares in percent.
"""

from __future__ import annotations

from infratest.record import Record, derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Package(Record):
    """A package by name. `state` is the package manager's own word, `unknown` where it has never heard of it."""

    manager: str
    installed: bool
    version: str = ""
    state: str = "unknown"


class Unit(Record):
    """A systemd unit as it is in systemd's memory, in systemd's own words.

    Args:
        error: why its file could not be loaded. next: whether a timer has a next moment; None for what is no timer.
    """

    id: str
    load: str
    active: str
    sub: str
    error: str = ""
    next: bool | None = None


class UnitFile(Record):
    """What the files of a systemd unit say of the next boot, as `systemctl is-enabled` answers.

    Args:
        state: its word, empty where the unit has no file. enabled: whether it ends with 0. problem: why it could not
        tell, in its own words; everything else is then unknown.
    """

    state: str
    enabled: bool
    problem: str = ""


class Listener(Record):
    """A socket that waits for others: listening TCP, bound and unconnected UDP, or a unix socket that takes any peer.

    Args:
        kind: `tcp`, `udp` or `unix`. address: without scope; a unix socket's path as it was bound, or `@name`.
        port: None for unix. family: 4 or 6; None for unix.
        only6: an IPv6 wildcard that takes no IPv4; None where the host could not say.
        interface: the only one it is reached over, empty where it is over any; None where the host could not say.
        reached: addresses of that interface; None where they are not known.
        file: a unix socket's file, as device and inode; None where the host could not say, or for an abstract name.
    """

    kind: str
    address: str
    port: int | None = None
    family: int | None = None
    only6: bool | None = None
    interface: str | None = ""
    reached: tuple[str, ...] | None = None
    file: tuple[int, int] | None = None


class Listeners(tuple[Listener, ...]):
    """All that waits on a host."""

    @derived
    def _ports(self) -> dict[tuple[str, int | None], list[Listener]]:
        found: dict[tuple[str, int | None], list[Listener]] = {}
        for one in self:
            found.setdefault((one.kind, one.port), []).append(one)
        return found

    @derived
    def paths(self) -> frozenset[str]:
        """The addresses of unix sockets."""
        return frozenset([one.address for one in self.on("unix", None)])

    def on(self, kind: str, port: int | None) -> list[Listener]:
        """Return those of a kind on a port."""
        return self._ports.get((kind, port), [])


#: Bytes of a process's name that the kernel keeps: TASK_COMM_LEN, less the NUL at its end.
KEPT = 15


def cut_name(name: str) -> str:
    """Return what the kernel keeps of a process's name, as text."""
    return name.encode("utf-8", "surrogateescape")[:KEPT].decode("utf-8", "replace")


class Process(Record):
    """A process.

    Args:
        name: the kernel's, at most 15 bytes. program: its first argument (what it was started by, or a title that it
        has given itself); empty where it has none. state: the kernel's letter, of a thread that lives if one does.
        rss: resident memory. names: what it is called, the kernel's first. cut: that one goes on, nobody knows how.
    """

    pid: int
    parent: int
    uid: int
    state: str
    name: str
    program: str
    rss: int
    names: tuple[str, ...]
    cut: bool = False


class Processes(tuple[Process, ...]):
    """All processes of a host, but for those that are there for the question alone."""

    @derived
    def _named(self) -> dict[str, list[Process]]:
        named: dict[str, list[Process]] = {}
        for one in self:
            if one.state not in "ZX":
                for name in one.names:
                    named.setdefault(name, []).append(one)
        return named

    def named(self, name: str) -> list[Process]:
        """Return those that are called so and run; zombies run nothing."""
        return self._named.get(name, [])

    def perhaps(self, name: str) -> list[Process]:
        """Return those of which no more is known than that their name begins as this one does."""
        kept = cut_name(name)
        return [] if kept == name else [one for one in self.named(kept) if one.cut and one.name == kept]


def unsure(name: str, processes: Sequence[Process]) -> str:
    """Return words for processes of which no more is known than that their names begin as this one does."""
    pids = ", ".join(str(one.pid) for one in processes[:5]) + (" ..." if len(processes) > 5 else "")
    return (
        f'whether the process "{name}" is running cannot be told: of pid {pids} only the first {KEPT} bytes of the '
        f'name are known, "{processes[0].name}"; look with root\'s rights (sudo) or ask for that name'
    )


class File(Record):
    """A path, links followed.

    Args:
        kind: `file`, `directory`, `socket`, `pipe`, `block device`, `character device`; None where nothing is there.
        mode: permission bits, four octal digits. age: seconds since it was last changed, by the host's own clock.
        link: where the path itself is a symbolic link, its target as written; else None.
        device, inode: which file it is, by whatever path; -1 where nothing is there.
        problem: why the host could not look (permission denied), in its own words; all but `link` is then unknown.
    """

    kind: str | None
    mode: str = ""
    owner: str = ""
    group: str = ""
    uid: int = -1
    gid: int = -1
    size: int = 0
    age: int = 0
    device: int = -1
    inode: int = -1
    link: str | None = None
    problem: str = ""


class Content(Record):
    """Whether a regular file holds a text.

    Args:
        there: whether there is a regular file. line: where the text begins, lines: how many there are; None where that
        was not counted. problem: as in File.
    """

    there: bool = True
    holds: bool = False
    line: int | None = None
    lines: int | None = None
    problem: str = ""


class User(Record):
    """An account, as the host's name services know it."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str


class Group(Record):
    """A group and who is listed in it; accounts that have it as their primary group are not listed."""

    name: str
    gid: int
    members: tuple[str, ...]


class Mount(Record):
    """A mounted file system; of several on one path, the one on top."""

    path: str
    device: str
    type: str
    options: tuple[str, ...]


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


class Memory(Record):
    """Main memory that the host may use, and swap, in bytes.

    `limited`, `swap_limited`: it may use less of that than the machine has, as a container may.
    """

    total: int
    available: int
    swap_total: int
    swap_free: int
    limited: bool = False
    swap_limited: bool = False


class Load(Record):
    """The load averages over 1, 5 and 15 minutes, and the processors that share it."""

    averages: tuple[float, float, float]
    processors: int


class Output(Record):
    """What a command answered.

    Args:
        seconds: how long it ran on the host; None where the host keeps no such clock. whole: whether `out` is all that
        it printed. exact: whether that is text as it was printed; bytes that are no UTF-8, and NULs, are U+FFFD in it.
    """

    exit: int
    out: str
    err: str
    seconds: float | None
    whole: bool = True
    exact: bool = True


class Reply(Record):
    """What came back from a URL.

    Args:
        status: None where no answer came. seconds: until the answer was complete. headers: names in lower case.
        body: as text. unread: what of the body is not in it, or not as it is, in words; nothing may be denied of that.
        refused: why there is no answer, in words; empty where one came. silent: nothing answers there at all; not so
        where the name is not known, or where something answers that is no whole HTTP.
    """

    status: int | None
    seconds: float
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    unread: str = ""
    refused: str = ""
    silent: bool = False
