"""What is learned of a host: for each subject which facts are asked, and which sentences they come to. Pure.

Two rounds: the first asks for lists (packages, accounts, sockets), the second for each of what they name. Left out is
what changes by itself or is nobody's to see: process ids, sizes, uptimes, counters, versions (an update changes them),
ports that the kernel chose, mounts of the kernel's own, comments and passwords of accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infratest.errors import InfratestError, UserError
from infratest.facts._init import SYSTEMD
from infratest.facts._systemd import NO_FILE, unit_name
from infratest.facts.base import Need
from infratest.gherkin.writing import in_quotes
from infratest.globs import fits

#: Need -> its value, or why it is not known.
Values = Mapping[Need, Any]

#: Stands in a sentence for a text that none can hold.
NOT_SAID = "\0"
#: Names of one subject that are looked at, sorted; what is beyond is told.
MOST = 1000
#: How the name of a service and of a timer ends.
SERVICE, TIMER = ".service", ".timer"
#: Units that are made while the system runs.
NOT_UNITS = ("user@*", "user-runtime-dir@*", "session-*", "run-*", "systemd-*@*", "getty@*", "*@.*")
#: Where the kernel's own choice of ports begins, unless the host says otherwise (the kernel's ip-sysctl.rst).
DYNAMIC = 32768
RANGE = "net.ipv4.ip_local_port_range"
#: Types of file systems that lie on a disk or another host; all others are the kernel's or a container engine's.
STORED = (
    "btrfs", "ceph", "cifs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuse.glusterfs", "iso9660", "jfs", "nfs", "nfs4",
    "ntfs3", "vfat", "xfs", "zfs",
)  # fmt: skip
#: Variables of the kernel that people set; each is the same until somebody sets it.
SYSCTLS = (
    "fs.protected_fifos", "fs.protected_hardlinks", "fs.protected_regular", "fs.protected_symlinks", "fs.suid_dumpable",
    "kernel.dmesg_restrict", "kernel.kptr_restrict", "kernel.randomize_va_space", "kernel.sysrq",
    "kernel.unprivileged_bpf_disabled", "kernel.yama.ptrace_scope", "net.ipv4.conf.all.accept_redirects",
    "net.ipv4.conf.all.accept_source_route", "net.ipv4.conf.all.rp_filter", "net.ipv4.conf.all.send_redirects",
    "net.ipv4.conf.default.rp_filter", "net.ipv4.icmp_echo_ignore_broadcasts", "net.ipv4.ip_forward",
    "net.ipv4.tcp_syncookies", "net.ipv6.conf.all.accept_redirects", "net.ipv6.conf.all.disable_ipv6",
    "net.ipv6.conf.all.forwarding", "vm.overcommit_memory", "vm.swappiness",
)  # fmt: skip
#: Files that decide who may do what, where they are.
FILES = (
    "/etc/crontab", "/etc/fstab", "/etc/group", "/etc/gshadow", "/etc/hosts", "/etc/nsswitch.conf", "/etc/passwd",
    "/etc/shadow", "/etc/ssh/sshd_config", "/etc/sudoers", "/etc/sysctl.conf",
)  # fmt: skip

PACKAGES: Need[Any] = Need("package-list", ("*",))
USERS: Need[Any] = Need("accounts", ("passwd",))
GROUPS: Need[Any] = Need("accounts", ("group",))
SOCKETS: Need[Any] = Need("socket")
MOUNTS: Need[Any] = Need("mount")
UNITS: Need[Any] = Need("unit-list")
PORTS: Need[Any] = Need("sysctl", (RANGE,))


@dataclass(frozen=True)
class Subject:
    """One subject.

    Args:
        lists: facts of the first round. each: the needs of the second, by what the first said. sentences: of both.
    """

    lists: tuple[Need, ...]
    each: Callable[[Values], list[Need]]
    sentences: Callable[[Values], Iterator[str]]


def _quoted(text: str) -> str:
    """Return text in quotes; NOT_SAID where no sentence can hold it, as a name with a line end."""
    try:
        return in_quotes(text)
    except UserError:
        return NOT_SAID


def known(values: Values, need: Need) -> Any:
    """Return a value, None where it is not known."""
    value = values.get(need)
    return None if isinstance(value, InfratestError) else value


def some(names: Sequence[str]) -> str:
    """Return the first of many names, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(sorted(names)[:3])}{more}"


def _nothing(values: Values) -> list[Need]:
    return []


def _packages(values: Values) -> Iterator[str]:
    listed = known(values, PACKAGES)
    names = sorted({name for name, _ in listed.packages}) if listed else []
    for name in names[:MOST]:
        yield f"the package {_quoted(name)} is installed"


def _may_run(values: Values) -> list[str]:
    """Return the services that may be running; systemd lists which do, of other init systems each must be asked."""
    listed = known(values, UNITS)
    running = ("running",) if listed and listed.system == SYSTEMD else ("running", "")
    return [
        one.name.removesuffix(SERVICE)
        for one in (listed.units if listed else ())
        if one.name.endswith(SERVICE)
        and one.sub in running
        and (one.state != NO_FILE or "@" in one.name)  # what was made while the system runs goes with it
        and not any(fits(pattern, one.name) for pattern in NOT_UNITS)
        and _can_be_asked(one.name)
    ]


def _can_be_asked(name: str) -> bool:
    try:
        return bool(unit_name(name))
    except UserError:
        return False


def _services_of(values: Values) -> list[Need]:
    return [Need(fact, (name,)) for name in _may_run(values)[:MOST] for fact in ("service", "unit-file")]


def _services(values: Values) -> Iterator[str]:
    for need in sorted((need for need in values if need.fact == "service"), key=lambda need: need.argument):
        unit, name = known(values, need), need.argument[0]
        # A unit that runs once and ends says nothing of what should be so now; an alias would be said twice.
        if unit is None or unit.active != "active" or unit.sub != "running" or unit.id != f"{name}.service":
            continue
        yield f"the service {_quoted(name)} is running"
        file = known(values, Need("unit-file", need.argument))
        if file is not None and file.state in ("enabled", "enabled-runtime"):
            yield f"the service {_quoted(name)} is enabled"
    # Some of these are masked by their package; whose doing it was is not told.
    for name in _listed(values, SERVICE, lambda one: one.state == "masked"):
        yield f"the service {_quoted(name)} is masked"


def _timers(values: Values) -> Iterator[str]:
    for name in _listed(values, TIMER, lambda one: one.sub in ("waiting", "running")):
        yield f"the timer {_quoted(name)} is running"
    for name in _listed(values, TIMER, lambda one: one.state == "enabled"):
        yield f"the timer {_quoted(name)} is enabled"


def _listed(values: Values, kind: str, so: Callable[[Any], bool]) -> list[str]:
    """Return the first units of a kind that are so, without the kind in their names."""
    listed = known(values, UNITS)
    names = [
        one.name.removesuffix(kind)
        for one in (listed.units if listed else ())
        if one.name.endswith(kind) and so(one) and not any(fits(pattern, one.name) for pattern in NOT_UNITS)
    ]
    return [name for name in names if _can_be_asked(name)][:MOST]


def _ports(values: Values) -> Iterator[str]:
    chosen, found = known(values, PORTS), set()
    words = (chosen.value or "").split() if chosen else []
    first = int(words[0]) if words and words[0].isdigit() else DYNAMIC
    for one in known(values, SOCKETS) or ():
        if one.port >= first or one.interface:
            continue
        protocol = "" if one.kind == "tcp" else f"/{one.kind}"
        wild = not one.address.strip("*0.:")  # 0.0.0.0, ::, *
        where = "" if wild else f" at {_quoted(one.address)}"
        found.add((one.port, one.kind, f"port {one.port}{protocol} is listening{where}"))
    yield from (words for _, _, words in sorted(found)[:MOST])


def _each_user(values: Values) -> list[Need]:
    listed = known(values, USERS)
    return [Need("user", (name,)) for name in sorted(set(listed.names))[:MOST]] if listed else []


def _users(values: Values) -> Iterator[str]:
    for need in _each_user(values):
        user = known(values, need)
        if user is None:
            continue
        name = _quoted(user.name)
        yield f"the user {name} has uid {user.uid}"
        if user.home:
            yield f"the user {name} has the home {_quoted(user.home)}"
        if user.shell:
            yield f"the user {name} has the shell {_quoted(user.shell)}"


def _each_group(values: Values) -> list[Need]:
    listed = known(values, GROUPS)
    return [Need("group", (name,)) for name in sorted(set(listed.names))[:MOST]] if listed else []


def _groups(values: Values) -> Iterator[str]:
    listed = known(values, GROUPS)
    pairs = sorted(set(zip(listed.names, listed.ids, strict=True))) if listed else []
    for name, number in pairs[:MOST]:
        yield f"the group {_quoted(name)} has gid {number}"
        group = known(values, Need("group", (name,)))
        if group is not None:
            members = ", ".join(sorted(set(group.members)))
            yield f"the group {_quoted(name)} has exactly the members {_quoted(members)}"


def _mounts(values: Values) -> Iterator[str]:
    for path, mount in sorted((known(values, MOUNTS) or {}).items())[:MOST]:
        # What an engine mounts into a container (a file, as /etc/hosts) is the engine's own.
        if mount.type in STORED and path not in ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf"):
            yield f"the mount {_quoted(path)} is of type {_quoted(mount.type)}"
            yield from (
                f"the mount {_quoted(path)} has the option {_quoted(option)}"
                for option in ("ro", "nosuid", "nodev", "noexec")
                if option in mount.options
            )


def _sysctls(values: Values) -> Iterator[str]:
    for name in SYSCTLS:
        one = known(values, Need("sysctl", (name,)))
        if one is not None and one.value and not one.problem:
            yield f"the sysctl {_quoted(name)} is {_quoted(one.value)}"


def _files(values: Values) -> Iterator[str]:
    for path in FILES:
        file = known(values, Need("file", (path,)))
        if file is not None and file.kind == "file":
            subject = f"the file {_quoted(path)}"
            yield f"{subject} has mode {_quoted(file.mode)}"
            yield f"{subject} is owned by {_quoted(file.owner or str(file.uid))}"
            yield f"{subject} belongs to the group {_quoted(file.group or str(file.gid))}"


#: The subjects, in the order of the feature.
SUBJECTS: Mapping[str, Subject] = {
    "packages": Subject((PACKAGES,), _nothing, _packages),
    "services": Subject((UNITS,), _services_of, _services),
    "timers": Subject((UNITS,), _nothing, _timers),
    "ports": Subject((SOCKETS, PORTS), _nothing, _ports),
    "users": Subject((USERS,), _each_user, _users),
    "groups": Subject((GROUPS,), _each_group, _groups),
    "mounts": Subject((MOUNTS,), _nothing, _mounts),
    "sysctls": Subject(tuple(Need("sysctl", (name,)) for name in SYSCTLS), _nothing, _sysctls),
    "files": Subject(tuple(Need("file", (path,)) for path in FILES), _nothing, _files),
}


def sentences(name: str, values: Values) -> list[str]:
    """Return what is said of one subject, each once; what no sentence can hold is left out."""
    return list(dict.fromkeys(words for words in SUBJECTS[name].sentences(values) if NOT_SAID not in words))


def beyond(values: Values) -> list[str]:
    """Return words for each list that is longer than is looked at."""
    found = []
    services = _may_run(values) if UNITS in values else []
    for need, what in ((PACKAGES, "packages"), (USERS, "users"), (GROUPS, "groups")):
        listed = known(values, need)
        names = set(getattr(listed, "names", ())) or {name for name, _ in getattr(listed, "packages", ())}
        if len(names) > MOST:
            found.append(f"{len(names)} {what} are there; the first {MOST} were looked at")
    if len(services) > MOST:
        found.append(f"{len(services)} services may be running; the first {MOST} were looked at")
    return found
