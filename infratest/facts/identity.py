"""The fact `identity`: which system a host runs, its kernel, its names and its time zone. It has no argument.

os-release(5) says the distribution, localtime(5) the time zone; kernel and host name are read from /proc/sys. The
machine's kind is uname's: a 32-bit system on a 64-bit kernel is told as the kernel is.
"""

from __future__ import annotations

import os

from infratest.cleaning import cited, decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import ONE_LINE, PUT, lines, unescaped
from infratest.facts.base import Answer, Argument, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: The first of these that is there is read: os-release(5).
RELEASE_FILES = ("/etc/os-release", "/usr/lib/os-release")
ZONES = "/zoneinfo/"


class Identity(Record):
    """Which system a host runs.

    Args:
        system: the distribution's ID, empty where the host has no os-release. like: the IDs of those it comes from.
        version, codename: empty where it says none. pretty: its name for people. kernel: as `uname -r` tells it.
        machine: as `uname -m` does. hostname: as the kernel has it. zone: of time; empty where it cannot be known.
    """

    system: str
    like: tuple[str, ...] = ()
    version: str = ""
    codename: str = ""
    pretty: str = ""
    kernel: str = ""
    machine: str = ""
    hostname: str = ""
    zone: str = ""

    def in_words(self) -> str:
        system = f"{self.system} {self.version}".strip() or "a system without os-release"
        return f"{self.hostname}: {system} on {self.machine}, Linux {self.kernel}, {self.zone or 'no known time zone'}"


# Lines: `release LINE` for each line of os-release, `kernel`, `machine`, `hostname`, `link` and `zone`.
SNIPPET = r"""
for path in RELEASE_FILES; do
  [ -e "$path" ] || continue
  echo file
  while read -r line || [ -n "$line" ]; do
    put "release $line$nl"
  done <"$path" || exit 1
  break
done
read -r line </proc/sys/kernel/osrelease || exit 1
put "kernel $line$nl"
line=$(uname -m) || exit 1
put "machine $line$nl"
read -r line </proc/sys/kernel/hostname || exit 1
put "hostname $line$nl"
if [ -h /etc/localtime ]; then
  one_line "$(readlink /etc/localtime)"
  put "link $line$nl"
elif [ -e /etc/localtime ]; then
  echo copied
fi
if [ -r /etc/timezone ]; then
  line=
  read -r line </etc/timezone
  put "zone $line$nl"
fi
echo done
""".replace("RELEASE_FILES", " ".join(RELEASE_FILES))


class IdentityFact(LooksHere):
    """Which system a host runs."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return ONE_LINE + PUT + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if not rows or rows[-1] != "done":
            raise FactError(f"the answer about the system is not understood: {cited(answer.out, 80)}")
        parts = [row.partition(" ") for row in rows[:-1]]
        release = [rest for mark, _, rest in parts if mark == "release"]
        told = {mark: rest for mark, _, rest in parts if mark != "release"}
        if missing := [mark for mark in ("kernel", "machine", "hostname") if not told.get(mark)]:
            raise FactError(f"the host does not tell its {', '.join(missing)}")
        return dict.fromkeys(arguments, _identity(release, told))

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        try:
            path = next((path for path in RELEASE_FILES if os.path.exists(path)), None)
            release = [] if path is None else lines(decoded(_machine.whole(path)))
            told = {
                "kernel": _line("/proc/sys/kernel/osrelease"),
                "machine": os.uname().machine,
                "hostname": _line("/proc/sys/kernel/hostname"),
            }
            if os.path.islink("/etc/localtime"):
                told["link"] = os.readlink("/etc/localtime")
            elif os.path.exists("/etc/localtime"):
                told["copied"] = ""
            if os.access("/etc/timezone", os.R_OK):
                told["zone"] = _line("/etc/timezone")
        except OSError:
            return None
        return dict.fromkeys(arguments, _identity([row.strip() for row in release], told))


def _line(path: str) -> str:
    return decoded(_machine.whole(path)).partition("\n")[0].strip()


def _identity(release: Sequence[str], told: Mapping[str, str]) -> Identity:
    variables = {}
    for row in release:
        name, sign, value = row.strip().partition("=")
        if sign and not name.startswith("#"):
            variables[name] = _plain(value)
    return Identity(
        system=variables.get("ID", "linux" if release else ""),  # the default of os-release(5)
        like=tuple(variables.get("ID_LIKE", "").split()),
        version=variables.get("VERSION_ID", ""),
        codename=variables.get("VERSION_CODENAME", ""),
        pretty=variables.get("PRETTY_NAME", ""),
        kernel=told["kernel"],
        machine=told["machine"],
        hostname=told["hostname"],
        zone=_zone(told),
    )


def _plain(value: str) -> str:
    """Return a value of os-release without the quotes of a shell."""
    mark = value[:1]
    if mark in ("'", '"') and value.endswith(mark) and len(value) > 1:
        value = value[1:-1]
    if mark == "'" or "\\" not in value:
        return value
    parts = value.split("\\\\")
    return "\\".join(part.replace("\\", "") for part in parts)


def _zone(told: Mapping[str, str]) -> str:
    """Return the time zone's name; localtime(5): it is a link into the zones, and where it is not there, it is UTC."""
    if "link" in told:
        _, part, zone = unescaped(told["link"]).partition(ZONES)
        return zone.removeprefix("posix/") if part else ""
    if told.get("zone"):
        return told["zone"]
    return "" if "copied" in told else "UTC"
