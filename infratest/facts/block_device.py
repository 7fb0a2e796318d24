"""The fact `block-device`: a disk, a partition or what is made of such. Argument: its absolute path, links followed.

One `stat` tells the number of the device, and /sys/dev/block what the kernel knows of it: sysfs-block of Linux. What
lsblk calls TYPE is told as there: of a device mapper's by the beginning of its uuid, of an array by its level.
"""

from __future__ import annotations

from infratest.errors import FactError
from infratest.facts._shell import COUNT_LINES, NOT_FOUND, ONE_LINE, PUT, lines, number, unescaped, without
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: /sys counts sectors of so many bytes, whatever the device's own are: sysfs-block.
SECTOR = 512


class BlockDevice(Record):
    """A block device.

    Args:
        kind: `device`, `other` for what is something else at the path, empty where nothing is there.
        type: disk, part, loop, rom, lvm, crypt, mpath, raid1 ...; size: in bytes. rotational: None where it is not
        told. holders: what is made of it, by the kernel's names. problem: as in File.
    """

    kind: str = ""
    name: str = ""
    type: str = ""
    size: int = 0
    read_only: bool = False
    rotational: bool | None = None
    holders: tuple[str, ...] = ()
    problem: str = ""

    def in_words(self) -> str:
        from infratest.units import human

        if self.kind != "device":
            return self.problem or ("no block device" if self.kind else "does not exist")
        return f"{self.name}: {self.type} of {human(self.size, 'B')}{', read-only' if self.read_only else ''}"


# Lines: `none N`, `error N words`, `other N`, or `device N` and then KEY VALUE of it; `done`.
SNIPPET = r"""
[ -d /sys/dev/block ] || { echo '/sys/dev/block is not there on this host: is /sys mounted?' >&2; exit NO_TOOL; }
one() {
  [ -r "$2" ] && read -r line <"$2" && put "$1 $line$nl"
} 2>/dev/null
not_found "$@"
n=0
for path in "$@"; do
  n=$((n + 1))
  [ -e "$path" ] || continue
  if [ ! -b "$path" ]; then
    echo "other $n"
    continue
  fi
  numbers=$(stat -L -c '%t %T' -- "$path") || exit 1
  place=/sys/dev/block/$((0x${numbers% *})):$((0x${numbers#* }))
  echo "device $n"
  [ -e "$place/size" ] || continue
  whole=$place
  if [ -e "$place/partition" ]; then
    whole=$place/..
    echo partition
  fi
  one size "$place/size"
  one ro "$place/ro"
  one rotational "$whole/queue/rotational"
  one dm "$place/dm/uuid"
  one level "$place/md/level"
  line=$(readlink -f "$place")
  put "name ${line##*/}$nl"
  for holder in "$place"/holders/*; do
    [ -e "$holder" ] && put "holder ${holder##*/}$nl"
  done
done
echo done
""".replace("NO_TOOL", str(NO_TOOL))


class BlockDeviceFact(LooksForEach):
    """Block devices."""

    def snippet(self) -> str:
        tool = without("stat", "stat (coreutils) is not installed on this host")
        return tool + ONE_LINE + COUNT_LINES + NOT_FOUND + PUT + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        found: dict[int, BlockDevice] = {}
        told: dict[int, list[tuple[str, str]]] = {}
        values: list[tuple[str, str]] = []
        for row in rows:
            mark, _, rest = row.partition(" ")
            if mark == "device":
                values = told.setdefault(number(rest, "an index"), [])
            elif mark in ("none", "error", "other"):
                index, _, words = rest.partition(" ")
                kind = "other" if mark == "other" else ""
                found[number(index, "an index")] = BlockDevice(kind, problem=unescaped(words))
            else:
                values.append((mark, rest))
        found |= {index: _device(each) for index, each in told.items()}
        if end != "done" or sorted(found) != list(range(1, len(arguments) + 1)):
            raise FactError(f"of {len(arguments)} block devices asked for, {len(found)} were answered")
        return {argument: found[index] for index, argument in enumerate(arguments, 1)}


def _device(told: Sequence[tuple[str, str]]) -> BlockDevice:
    values = dict(told)
    if "size" not in values or "ro" not in values:
        return BlockDevice(problem="there is a file for it, and the kernel has no such block device")
    rotational = values.get("rotational")
    return BlockDevice(
        kind="device",
        name=values.get("name", ""),
        type=_type(values),
        size=number(values["size"], "a size") * SECTOR,
        read_only=number(values["ro"], "ro") != 0,
        rotational=None if rotational is None else number(rotational, "rotational") != 0,
        holders=tuple(sorted(value for key, value in told if key == "holder")),
    )


def _type(values: Mapping[str, str]) -> str:
    """Return what lsblk(8) calls the type of a device."""
    if "partition" in values:
        return "part"
    if "dm" in values:
        return values["dm"].partition("-")[0].lower() or "dm"
    if "level" in values:
        return values["level"]
    name = values.get("name", "")
    return "loop" if name.startswith("loop") else "rom" if name.startswith("sr") else "disk"
