r"""What a process is called, and which processes are there for the question alone. For the fact `process`; pure.

The kernel keeps the first 15 bytes of a name (TASK_COMM_LEN). The rest of a longer one is looked for where it may be
written out: in the path of the program, and in the first words of the command line (`#!` puts an interpreter and its
option before the script). A program may also have written a title over its command line, `postgres: checkpointer`:
then all of it is one word, whose first part is its name and none of whose other parts is.
"""

from __future__ import annotations

from infratest.record import Record, derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

#: Bytes of a process's name that the kernel keeps: TASK_COMM_LEN, less the NUL at its end.
KEPT = 15

#: Words of a command line that are looked at, and characters of each: no path is longer (PATH_MAX).
WORDS, LENGTH = 3, 4096

#: What the kernel writes behind the path of a program that is not there any more.
DELETED = " (deleted)"

#: Programs that start another one and wait for it.
WRAPPERS = frozenset(
    "chronic chrt doas env flock ionice nice nohup nsenter runuser setpriv setsid stdbuf su sudo timeout unshare"
    .split()
)  # fmt: skip
SHELLS = frozenset("ash bash busybox csh dash fish ksh mksh rbash sh tcsh toybox yash zsh".split())

#: Servers that serve each who asks by a process of the same name, a child of their own.
SERVERS = frozenset(("sshd", "sshd-session", "dropbear", "nrpe", "cron", "crond"))

#: How sshd's processes for one login begin their titles; before OpenSSH 8.2 the one that listens has none.
LOGINS, LISTENER = ("sshd: ", "sshd-session: ", "sshd-auth: "), "[listener]"


class Process(Record):
    """A process, as /proc tells of it.

    Args:
        uid: of its effective user. state: the kernel's letter, of a thread that lives if one does. name: the kernel's,
        at most 15 bytes. rss: resident memory. words: the first of its command line, as it was started or as it has
        written over them. path: of its program, where it is known and needed.
    """

    pid: int
    parent: int
    uid: int
    state: str
    name: str
    rss: int
    words: tuple[str, ...] = ()
    path: str = ""

    @derived
    def _names(self) -> tuple[tuple[str, ...], bool]:
        return names(self)

    @property
    def names(self) -> tuple[str, ...]:
        """What it is called, the kernel's name first."""
        return self._names[0]

    @property
    def cut(self) -> bool:
        """Whether the kernel has cut its name, and nobody knows how it goes on."""
        return self._names[1]

    @property
    def program(self) -> str:
        """Its first word, what it was started by or a title of its own; empty where it has none."""
        return self.words[0] if self.words else ""

    def in_words(self) -> str:
        return self.name


def needs_path(name: str, words: Sequence[str]) -> bool:
    """Whether the path of the program is needed to tell what a process is called."""
    return len(name.encode()) >= KEPT or " " in "".join(words[:1])


def names(process: Process) -> tuple[tuple[str, ...], bool]:
    """Return what a process is called, and whether the kernel has cut a name of which the rest is not known."""
    whole_name = len(process.name.encode()) < KEPT
    if whole_name and not process.words:  # most processes of a host are threads of its kernel
        return (process.name,), False
    path = process.path.removesuffix(DELETED)
    called = [process.name, *_written(process.program, path, process.name)]
    if whole_name:
        return tuple(dict.fromkeys(called)), False
    candidates = [*called[1:], _file(path), *(_file(word) for word in process.words[1:])]
    whole = [one for one in candidates if cut_name(one) == process.name]
    # A kernel thread may have a longer name, which the kernel tells.
    cut = not whole and cut_name(process.name) == process.name
    return tuple(dict.fromkeys([*called, *whole])), cut


def _written(first: str, path: str, name: str) -> list[str]:
    """Return the names that are in the first word of a command line: a path, or a title."""
    if not first.strip():
        return []
    file = _file(first)
    # A program's file name may hold blanks. Where its path may not be read, the kernel's name tells as much.
    if " " not in first or (" " in path and file == _file(path)) or (first[0] == "/" and cut_name(file) == name):
        return [file]
    return [_file(first.split(None, 1)[0].rstrip(":")), first]


def _file(path: str) -> str:
    return path.rpartition("/")[2]


def for_the_question(seen: Mapping[int, Process], asker: int, own: int) -> set[int]:
    """Return the processes that are there for the question alone: they are no processes of the host.

    These are who asks, what stands between it and a login or a monitor that wanted to know, and what that has started;
    of our own program itself (which a user's test may run in) and what is above it, not what they have started but for
    copies of itself.

    Args:
        asker: the shell that asks, or our own program. own: our own program, 0 where it is on another machine.
    """
    chain = [asker]
    while chain[-1] in seen and (above := seen.get(seen[chain[-1]].parent)) is not None:
        # One that we have forked asks for us, as a step of the user's does in a process of its own.
        forked = own in chain and _is_same(above, seen[own])
        if above.pid != own and not forked and (above.pid == 1 or not _between(above, seen)):
            break
        chain.append(above.pid)
    below = chain[: chain.index(own)] if own in chain else chain
    children: dict[int, list[int]] = {}
    for one in seen.values():
        children.setdefault(one.parent, []).append(one.pid)
    grown = {*below[-1:], *_managers(seen, chain, children)}
    grown = _with_children(grown, lambda pid: children.get(pid, ()))
    own_kind = [pid for pid in chain if own in chain and _is_same(seen[pid], seen[own])]
    forks = _with_children(
        own_kind, lambda pid: [one for one in children.get(pid, ()) if _is_same(seen[one], seen[own])]
    )
    return grown | forks | set(chain)


def _with_children(first: Iterable[int], children: Callable[[int], Iterable[int]]) -> set[int]:
    """Return these processes and all that descend from them."""
    grown = set(first)
    left = list(grown)
    while left:
        more = [pid for pid in children(left.pop()) if pid not in grown]
        grown.update(more)
        left += more
    return grown


def _is_same(one: Process, other: Process) -> bool:
    """Whether two processes are one program: what is forked and starts no other has its name and words."""
    return (one.name, one.words) == (other.name, other.words)


def _is_given(words: Sequence[str]) -> bool:
    """Whether a shell with these words is given a command, or a script in its input (`sh -ec ...`, `busybox sh -s`)."""
    for word in words:
        if word[:1] != "-":
            return word in WRAPPERS
        if word[1:2] != "-" and word[-1:] in ("c", "s"):
            return True
    return False


def _managers(seen: Mapping[int, Process], chain: Sequence[int], children: Mapping[int, Sequence[int]]) -> list[int]:
    """Return the systemd that the login has started for its user: one that looks after nothing but itself."""
    users = [seen[pid].uid for pid in chain if pid in seen and _is_login(seen[pid])][:1]
    return [
        one.pid
        for one in seen.values()
        if one.uid in users and one.name == "systemd" and "--user" in one.words[1:]
        if all(seen[child].name == "(sd-pam)" for child in children.get(one.pid, ()))
    ]


def _is_login(process: Process) -> bool:
    """Whether this is a process of sshd for one login."""
    title = process.program
    return process.name in SERVERS and title.startswith(LOGINS) and LISTENER not in title


def _between(process: Process, seen: Mapping[int, Process]) -> bool:
    """Whether a process that stands above who asks is there for the question alone."""
    if process.name in WRAPPERS:
        return True
    words = process.words
    if process.name in SHELLS:  # one with a command or a script in its input, not one that somebody sits at
        return _is_given(words[1:]) if words[1:2] != ("sh",) else _is_given(words[2:])
    if _is_login(process):
        return True
    above = seen.get(process.parent)
    return process.name in SERVERS and above is not None and above.name == process.name


def cut_name(name: str) -> str:
    """Return what the kernel keeps of a process's name, as text."""
    return name.encode("utf-8", "surrogateescape")[:KEPT].decode("utf-8", "replace")
