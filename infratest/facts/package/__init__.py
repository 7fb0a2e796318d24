"""The fact `package`: is it installed, in which version. Argument: the package's name.

One query of dpkg, rpm, apk's database or pacman for all names. The manager whose database is filled is the one that
is asked, for tools of another family may be installed on any system. Names are compared exactly: dpkg takes patterns,
pacman also virtual names, and neither is meant; rpm also NAME-VERSION-RELEASE.ARCHITECTURE and its parts, and so do we.
Only dpkg's state `installed` is installed (not `config-files`, `half-installed`, `unpacked` ...); a package on hold is.
Where both dpkg and rpm have a database, os-release says whose the host is. This machine's own dpkg is read from its
status file by `dpkg_status`, but for what is not installed; its rpm by `rpm_database`.
"""

from __future__ import annotations

import os

from infratest.cleaning import beginning, cited, decoded
from infratest.errors import FactError, UserError
from infratest.facts import _machine
from infratest.facts._package_manager import MANAGER
from infratest.facts._shell import lines, number
from infratest.facts.base import Answer, Argument, LooksForEach, LooksHere
from infratest.facts.package import dpkg_status
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any


class Package(Record):
    """A package by name. `state` is the package manager's own word, `unknown` where it has never heard of it."""

    manager: str
    installed: bool
    version: str = ""
    state: str = "unknown"

    def in_words(self) -> str:
        return f"{self.state} {self.version}".strip() + f" ({self.manager})"


#: What dpkg, rpm, apk and pacman allow between them; dpkg's `name:architecture` included, its patterns not.
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._:@~^")


def package_name(name: str) -> str:
    """Return the name of a package as it is.

    Raises:
        UserError: no package can have that name.
    """
    if not name or not set(name) <= _NAME or not name[0].isalnum():
        raise UserError(f"{name!r} is not the name of a package: letters, digits and + - . _ : @ ~ ^ are allowed")
    return name


# rpm and pacman say on standard output and error alike which ones they miss, so all of it is kept, marked by `+`.
# The package rpm is asked for too, which every host of rpm's has, so that all of them are looked through only where
# there is none of those asked for and not even that.
SNIPPET = (
    MANAGER
    + r"""
case $manager in
  dpkg)
    dpkg-query -W -f '${Package}\t${Architecture}\t${Status}\t${Version}\n' -- "$@"
    [ $? -le 1 ] || exit 1
    ;;
  apk) cat /lib/apk/db/installed /usr/lib/apk/db/installed 2>/dev/null | grep '^[PV]:' ;;
  pacman) pacman -Q -- "$@" 2>&1 ;;
  rpm)
    found=$(rpm --dbpath "$rpm" -q --qf 'FORMAT' -- "$@" rpm 2>&1)
    printf '%s\n' "$found"
    case $found in
      '+'* | *'
+'*) ;;
      *) [ -n "$(rpm --dbpath "$rpm" -qa --qf + 2>&1)" ] || echo "its database in $rpm holds no package at all" ;;
    esac
    ;;
esac
exit 0
""".replace("FORMAT", r"+\t%{DBINSTANCE}\t%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\n")
)

#: Where rpm keeps what it knows, and the files that hold it: of sqlite, ndb and Berkeley DB.
RPM = ("/usr/lib/sysimage/rpm", "/var/lib/rpm")
RPM_FILES = ("rpmdb.sqlite", "Packages.db", "Packages")

#: Where there is one of these, apk or pacman is asked before rpm.
OTHERS = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed", "/var/lib/pacman/local")

#: Where dpkg keeps what it knows.
DPKG = "/var/lib/dpkg"


class PackageFact(LooksForEach, LooksHere):
    """Packages of the distribution."""

    def snippet(self) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        readers = {"dpkg": _dpkg, "rpm": _rpm, "apk": _apk, "pacman": _pacman}
        if not rows or rows[0] not in readers:
            raise FactError(f"the answer about packages is not understood: {cited(answer.out, 80)}")
        manager = rows[0]
        found = readers[manager](rows[1:], [argument[0] for argument in arguments])
        absent = Package(manager=manager, installed=False)
        return {argument: found.get(argument[0], absent) for argument in arguments}

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        files = _files_of_rpm()
        if not files:  # dpkg-query itself is asked for what it may take for a pattern
            arguments = [argument for argument in arguments if _plain(_machine.encoded(_name(argument)))]
        look = _here_by_rpm(files, arguments) if files else _here_by_dpkg(arguments)
        if look is None:
            return None
        manager, found = look
        if manager == "dpkg":
            # What is not installed is not read out of a file of which dpkg may refuse a line: dpkg-query is asked.
            return {argument: found[argument[0]] for argument in arguments if _installed(found, argument)}
        absent = Package(manager=manager, installed=False)
        return {argument: found.get(argument[0], absent) for argument in arguments}


def _installed(found: Mapping[str, Package], argument: Argument) -> bool:
    return argument[0] in found and found[argument[0]].installed


def _name(argument: Argument) -> str:
    """Return a package's name without its architecture."""
    return argument[0].partition(":")[0]


def _here_by_dpkg(arguments: Sequence[Argument]) -> tuple[str, dict[str, Package]] | None:
    found = of_dpkg(DPKG, frozenset([_name(argument) for argument in arguments]))
    return None if found is None or not _machine.on_path("dpkg-query") else ("dpkg", found)


def _files_of_rpm() -> list[str]:
    """Return the databases of rpm on this machine; the same one is not told of twice."""
    folders = [folder for folder in RPM if os.path.isdir(folder)]
    if len(folders) == len(RPM) and os.path.samefile(*folders):
        folders = folders[:1]
    return [f"{folder}/{name}" for folder in folders for name in RPM_FILES if _machine.filled(f"{folder}/{name}")]


def _here_by_rpm(files: list[str], arguments: Sequence[Argument]) -> tuple[str, dict[str, Package]] | None:
    """Return what rpm's database tells, None where it is not the only one or not of the format that is read here."""
    folder, _, name = files[0].rpartition("/")
    others = _machine.filled(f"{DPKG}/status") or any(os.path.exists(other) for other in OTHERS)
    if len(files) > 1 or name != RPM_FILES[0] or others or not _machine.on_path("rpm"):
        return None
    from infratest.facts.package import rpm_database

    rows = rpm_database.rows_of(folder, [argument[0] for argument in arguments])
    return None if rows is None else ("rpm", _rpm(rows, []))


#: The packages that were read last, by folder and names, with the stamp of the status file they were read from.
_last: tuple[Any, Any, dict[str, Package]] = (None, None, {})


def of_dpkg(folder: str, names: frozenset[str]) -> dict[str, Package] | None:
    """Return what dpkg's own folder tells of these names, by name and by `name:architecture`; None as `dpkg_rows`.

    A status file that is the one read last is not read again.
    """
    global _last
    if not _settled(folder):
        return None
    stamp = _machine.stamp(f"{folder}/status")
    asked, read, found = _last
    if stamp is not None and (asked, read) == ((folder, names), stamp):
        return found
    rows = dpkg_rows(folder, names)
    if rows is None:
        return None
    found = _dpkg(rows, [])
    _last = ((folder, names), stamp, found)
    return found


def dpkg_rows(folder: str, names: Collection[str]) -> list[str] | None:
    """Return the lines that dpkg-query prints for these names, out of dpkg's own folder.

    None where there is no such folder, where a name may be a pattern, where `dpkg_status` leaves the file to dpkg, or
    where dpkg is at work: what it has done is then in `updates`, one file a step (all digits), and comes into `status`
    later.
    """
    wanted = {_machine.encoded(name) for name in names}
    # In this order: a status file read after `updates` was seen empty is at least as new as that.
    if not all(_plain(name) for name in wanted) or not _settled(folder):
        return None
    try:
        packages = dpkg_status.packages(f"{folder}/status", wanted)
    except OSError:
        return None
    return None if packages is None else sorted(decoded(b"\t".join(row)) for row in packages)


def _settled(folder: str) -> bool:
    """Whether dpkg has put all that it has done into its status file."""
    try:
        return not any(name.isdigit() for name in os.listdir(f"{folder}/updates"))
    except OSError:
        return False


def _plain(name: bytes) -> bool:
    """Whether it is no pattern and nothing that dpkg-query might take apart otherwise."""
    return name.isascii() and name.translate(None, b"+-.").isalnum()


def _dpkg(rows: list[str], names: list[str]) -> dict[str, Package]:
    found: dict[str, Package] = {}
    for row in rows:
        name, architecture, status, version = _fields(row, 4)
        state = status.rpartition(" ")[2]
        if state in ("not-installed", ""):
            continue  # a name out of other packages' dependencies, or one that was purged
        package = Package(manager="dpkg", installed=state == "installed", version=version, state=_dpkg_words(status))
        # A package may be there for several architectures: any one that is installed answers for the bare name.
        found[f"{name}:{architecture}"] = package
        if name not in found or package.installed:
            found[name] = package
    return found


def _dpkg_words(status: str) -> str:
    want, _, state = status.split(" ") if status.count(" ") == 2 else ("", "", status)
    return {"unknown": state, "install": state, "": state}.get(want, f"{state}, {want}")


def _rpm(rows: list[str], names: list[str]) -> dict[str, Package]:
    missing = {f"package {name} is not installed": name for name in (*names, "rpm")}
    absent = set()
    packages: dict[int, tuple[list[str], Package]] = {}
    for row in rows:
        if row.startswith("+\t"):
            _, place, name, epoch, version, release, architecture = _fields(row, 7)
            full = f"{version}-{release}" if epoch == "(none)" else f"{epoch}:{version}-{release}"
            package = Package(manager="rpm", installed=True, version=full, state="installed")
            packages[number(place, "a package's place in rpm's database")] = (
                [name, architecture, "0" if epoch == "(none)" else epoch, version, release],
                package,
            )
        elif row in missing:
            absent.add(missing[row])
        elif not row.startswith("warning:"):
            raise FactError(f"rpm could not look: {beginning(row, 200)}")
    # Of several packages of a name (kernels), the one that was installed last is meant.
    in_order = [packages[place] for place in sorted(packages)]
    found = {label: package for fields, package in in_order for label in _labels(*fields)}
    found |= {fields[0]: package for fields, package in in_order}
    if strange := [name for name in names if name not in found and name not in absent]:
        raise FactError(f"rpm takes {strange[0]!r} for another package: name it as NAME or NAME.ARCHITECTURE")
    return found


def _labels(name: str, architecture: str, epoch: str, version: str, release: str) -> list[str]:
    """Return all that rpm takes for this package, beside its bare name."""
    versions = [version, f"{version}-{release}", f"{epoch}:{version}", f"{epoch}:{version}-{release}"]
    labels = [f"{name}-{one}" for one in versions]
    return [*labels, *(f"{label}.{architecture}" for label in (name, *labels))]


def _apk(rows: list[str], names: list[str]) -> dict[str, Package]:
    found: dict[str, Package] = {}
    name = ""
    for row in rows:
        if row.startswith("P:"):
            name = row[2:]
        else:
            found[name] = Package(manager="apk", installed=True, version=row[2:], state="installed")
    return found


def _pacman(rows: list[str], names: list[str]) -> dict[str, Package]:
    found: dict[str, Package] = {}
    for row in rows:
        if row.startswith("error: package '") and row.endswith("' was not found"):
            continue
        name, blank, version = row.partition(" ")
        if not blank or row.startswith(("error:", "warning:")):
            raise FactError(f"pacman could not look: {beginning(row, 200)}")
        found[name] = Package(manager="pacman", installed=True, version=version, state="installed")
    return found


def _fields(row: str, count: int) -> list[str]:
    fields = row.split("\t")
    if len(fields) != count:
        raise FactError(f"the answer about packages is not understood: {cited(row, 80)}")
    return fields
