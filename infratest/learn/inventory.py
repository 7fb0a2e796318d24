"""What is on a host, as plain values that can be kept and compared: packages, files, units, accounts, ports, sysctls.

Asked before a host is provisioned for the first time, and by `coverage` again. Left out is what changes by itself and
what is nobody's to see: versions, process ids, counters, keys, what infratest or a container engine writes, and the
sums of files that not everybody may read. Of a password is kept whether it is set, locked, empty or none. Pure but for
`taken`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cache
from typing import Any

from infratest.deadline import Deadline
from infratest.engine.run import Run, Settings
from infratest.errors import FactError, InfratestError, UserError
from infratest.facts._accounts import entry_name
from infratest.facts.base import Need
from infratest.hosts import Host
from infratest.learn.subjects import (
    DYNAMIC,
    GROUPS,
    MOST,
    NOT_UNITS,
    PACKAGES,
    PORTS,
    SOCKETS,
    UNITS,
    USERS,
    Values,
    known,
    some,
)
from infratest.plan.tasks import Plan
from infratest.stack.open import open_transport

#: Name -> what is so of it, as JSON has it; equal where nothing changed.
Entries = dict[str, dict[str, Any]]

#: Folders whose files people and their tools put there.
FOLDERS = ("/etc", "/opt", "/root/.ssh", "/srv", "/usr/local", "/var/spool/cron", "/var/www")
#: Files of the accounts: mode and owner are looked at; what is in them is other kinds' (users, groups).
ACCOUNT_FILES = ("/etc/group", "/etc/gshadow", "/etc/passwd", "/etc/shadow")
#: Paths that change by themselves, are other kinds' (accounts, units), hold the host's own keys, or are written by
#: infratest and container engines.
NOT_FILES = (
    "/etc/.pwd.lock", "/etc/.updated", "/etc/adjtime", "/etc/apk/world", "/etc/group-", "/etc/gshadow-",
    "/etc/hostname", "/etc/hosts", "/etc/infratest", "/etc/infratest/*", "/etc/ld.so.cache", "/etc/machine-id",
    "/etc/mtab", "/etc/pacman.d/gnupg/*", "/etc/passwd-", "/etc/pki/ca-trust/extracted/*",
    "/etc/resolv.conf", "/etc/shadow-", "/etc/ssh/ssh_host_*", "/etc/ssl/certs/????????.?",
    "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/java/*", "/etc/subgid", "/etc/subgid-", "/etc/subuid",
    "/etc/subuid-", "*.dpkg-*", "*.apk-new", "*.pacnew", "*.pacsave", "*.rpmnew", "*.rpmsave", "*.pyc", "*~",
)  # fmt: skip
#: Links to what packages ship come and go with these, and so do the names by which programs look for certificates.
SHIPPED = ("/usr/share/ca-certificates/*",)
#: Links that programs of the distribution keep: one that came or went did so with a package.
ALTERNATIVES = "/etc/alternatives/"
#: Variables of the kernel that change by themselves, that belong to one interface, or that are another one's mirror.
NOT_SYSCTLS = (
    "fs.binfmt_misc.*", "kernel.cad_pid", "kernel.ns_last_pid", "kernel.perf_event_max_sample_rate", "kernel.random.*",
    "kernel.sched_domain.*", "kernel.tainted", "kernel.hostname", "kernel.domainname", "net.*.neigh.*",
    "net.ipv4.conf.*.forwarding", "net.*.conf.*.mtu", "net.netfilter.nf_conntrack_buckets",
)  # fmt: skip
#: Words of systemctl for a unit that somebody chose to have started at boot, or not to.
CHOSEN = ("enabled", "disabled", "masked")

#: What stands for an address of the host's own, which may be another tomorrow.
OWN_ADDRESS = "own"
#: Details that an inventory may lack, by kind: an older one has none, and some are shown to root alone.
DETAILS: Mapping[str, Mapping[str, str]] = {
    "users": {"gid": "primary groups", "password": "whether a password is set"},
    "groups": {"members": "members"},
    "ports": {"at": "addresses"},
}

SYSCTLS: Need[Any] = Need("sysctl-list")


@dataclass(frozen=True)
class Inventory:
    """What is on a host.

    Args:
        kinds: of KINDS, what is there by its name. unknown: kinds of which something could not be seen, and why.
        unseen: of such a kind the names that may be missing, where that is known: of files also all below a path.
    """

    kinds: Mapping[str, Entries] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    unseen: Mapping[str, Sequence[str]] = field(default_factory=dict)


def of_plain(content: Mapping[str, Any]) -> Inventory:
    """Return the inventory that was kept as JSON has it. Raises ValueError and the like: it is none."""
    kinds = {str(kind): {name: dict(so) for name, so in entries.items()} for kind, entries in content["kinds"].items()}
    unseen = {str(kind): [str(name) for name in names] for kind, names in content.get("unseen", {}).items()}
    return Inventory(kinds, {str(kind): str(why) for kind, why in content["unknown"].items()}, unseen)


def taken(
    hosts: Sequence[Host], kinds: Sequence[str], jobs: int, deadline: Deadline
) -> dict[str, Inventory | InfratestError]:
    """Ask hosts what is on them, over one connection each, in two rounds; of one that cannot be asked, say why."""
    plan = Plan((), {host.name: host for host in hosts})
    going = Run(plan, open_transport, Settings(jobs=jobs, deadline=deadline))
    values: dict[str, dict[Need, Any]] = {host.name: {} for host in hosts}
    blocked: dict[str, InfratestError] = {}
    try:
        for listing in (True, False):
            asked: dict[str, list[Need]] = {}
            for name in values.keys() - blocked.keys():
                needs = [KINDS[kind].lists if listing else KINDS[kind].each(values[name]) for kind in kinds]
                asked[name] = list(dict.fromkeys(need for some in needs for need in some))
            facts = going.collector.collect({name: needs for name, needs in asked.items() if needs}, deadline)
            blocked |= facts.blocked
            for name in asked:
                values[name] |= facts.at(name)
    finally:
        going.close()
    return {name: blocked[name] if name in blocked else of_values(kinds, values[name]) for name in values}


class Missing:
    """What of a kind could not be seen: why, in words, and the names that may be missing."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.unseen: list[str] = []


def of_values(kinds: Sequence[str], values: Values) -> Inventory:
    """Return the inventory that facts come to; a kind of which one could not be read is unknown."""
    entries: dict[str, Entries] = {}
    unknown: dict[str, str] = {}
    unseen: dict[str, list[str]] = {}
    for kind in kinds:
        missing = Missing()
        try:
            entries[kind] = dict(KINDS[kind].entries(values, missing))
        except InfratestError as error:
            missing.problems.append(str(error))
        if missing.problems:
            unknown[kind] = "; ".join(dict.fromkeys(missing.problems))
            if kind in entries:
                unseen[kind] = missing.unseen
    return Inventory(entries, unknown, unseen)


def _value(values: Values, need: Need) -> Any:
    """Return a value. Raises FactError: it is not known."""
    value = values.get(need)
    if value is None or isinstance(value, InfratestError):
        raise FactError(str(value) if value is not None else f"{need.fact} was not answered")
    return value


@cache
def _expression(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Return patterns as one expression: thousands of names are held against them, which pays for making it."""
    return re.compile("|".join(map(translate, patterns)))


def _left_out(name: str, patterns: tuple[str, ...]) -> bool:
    return _expression(patterns).match(name) is not None


def _packages(values: Values, missing: Missing) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, _ in _value(values, PACKAGES).packages:
        yield name, {}


def _files(values: Values, missing: Missing) -> Iterator[tuple[str, dict[str, Any]]]:
    for folder in FOLDERS:
        listed = values.get(Need("file-list", (folder,)))
        if listed is None or isinstance(listed, InfratestError):
            missing.problems.append(f"{folder}: {listed or 'it was not answered'}")
            missing.unseen.append(folder)
            continue
        missing.problems += listed.problems
        missing.unseen += listed.unseen
        for one in (*listed.files, *listed.folders):
            if not _left_out(one.path, NOT_FILES) and not (one.kind == "link" and _left_out(one.target, SHIPPED)):
                yield one.path, _so(one)


def _so(one: Any) -> dict[str, Any]:
    """Return what is kept of something that is listed."""
    packaged = {"packaged": True} if one.packaged else {}
    if one.kind == "link":
        return {"kind": "link", "target": one.target} | packaged
    so: dict[str, Any] = {"kind": one.kind, "mode": one.mode, "owner": one.owner, "group": one.group}
    if one.kind != "file":
        return so | packaged
    if one.path in ACCOUNT_FILES:
        return so
    return so | {"size": one.size} | ({"md5": one.sum} if one.sum else {}) | packaged


def _units(values: Values, missing: Missing) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in _value(values, UNITS).units:
        running = one.sub in ("running", "waiting", "listening")
        word = one.state.removesuffix("-runtime")
        if (word in CHOSEN or running) and not _left_out(one.name, NOT_UNITS):
            yield one.name, {"boot": word if word in CHOSEN else "", "running": running}


def _each_user(values: Values) -> list[Need]:
    names = known(values, USERS).names if known(values, USERS) else ()
    # The fact takes long for very many; local accounts are listed first, and a directory service shows no passwords.
    passwords = [Need("password", (name,)) for name in names[:MOST] if _can_be_asked(name)]
    return [*(Need("user", (name,)) for name in names), *passwords]


def _can_be_asked(name: str) -> bool:
    try:
        return bool(entry_name(name))
    except UserError:
        return False


def _users(values: Values, missing: Missing) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in _value(values, USERS).names:
        try:
            user = _value(values, Need("user", (name,)))
        except FactError as error:
            missing.problems.append(str(error))
            missing.unseen.append(name)
            continue
        password = known(values, Need("password", (name,)))
        so = {"uid": user.uid, "gid": user.gid, "home": user.home, "shell": user.shell}
        yield name, so | ({} if password is None else {"password": password.stored})


def _each_group(values: Values) -> list[Need]:
    listed = known(values, GROUPS)
    return [Need("group", (name,)) for name in listed.names] if listed else []


def _groups(values: Values, missing: Missing) -> Iterator[tuple[str, dict[str, Any]]]:
    listed = _value(values, GROUPS)
    for name, number in zip(listed.names, listed.ids, strict=True):
        group = known(values, Need("group", (name,)))
        yield name, {"gid": number} | ({} if group is None else {"members": sorted(set(group.members))})


def _ports(values: Values, missing: Missing) -> Iterator[tuple[str, dict[str, Any]]]:
    chosen = values.get(PORTS)
    words = [] if chosen is None or isinstance(chosen, InfratestError) else (chosen.value or "").split()
    first = int(words[0]) if words and words[0].isdigit() else DYNAMIC
    places: dict[str, set[str]] = {}
    for one in _value(values, SOCKETS):
        if one.port < first:
            own = one.address.strip("*0.:") and not one.address.startswith("127.") and one.address != "::1"
            places.setdefault(f"{one.port}/{one.kind}", set()).add(OWN_ADDRESS if own else one.address)
    for name, at in places.items():
        yield name, {"at": sorted(at)}


def _sysctls(values: Values, missing: Missing) -> Iterator[tuple[str, dict[str, Any]]]:
    listed = _value(values, SYSCTLS)
    unread = [name for name in listed.unread if not _left_out(name, NOT_SYSCTLS)]
    if unread:
        missing.problems.append(f"{some(unread)}: only root may read that")
        missing.unseen += unread
    for name, value in listed.variables:
        if not _left_out(name, NOT_SYSCTLS):
            yield name, {"value": value}


@dataclass(frozen=True)
class Kind:
    """One kind of thing: the facts of the first round, the needs of the second, and the entries of both."""

    lists: tuple[Need, ...]
    entries: Callable[[Values, Missing], Iterator[tuple[str, dict[str, Any]]]]
    each: Callable[[Values], list[Need]] = lambda values: []


#: The kinds, in the order in which they are told.
KINDS: Mapping[str, Kind] = {
    "packages": Kind((PACKAGES,), _packages),
    "files": Kind(tuple(Need("file-list", (folder,)) for folder in FOLDERS), _files),
    "units": Kind((UNITS,), _units),
    "users": Kind((USERS,), _users, _each_user),
    "groups": Kind((GROUPS,), _groups, _each_group),
    "ports": Kind((SOCKETS, PORTS), _ports),
    "sysctls": Kind((SYSCTLS,), _sysctls),
}
