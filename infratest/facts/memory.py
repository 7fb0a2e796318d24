"""The fact `memory`: main memory that the host may use, and swap. It has no argument.

/proc/meminfo knows the machine alone. A container may use no more than its control group allows, and its root is what
is seen of the groups inside: of version 2 under /sys/fs/cgroup, of version 1 wherever the controller `memory` is
mounted (a machine's own root has no such files, or no limit). What is used and could be given back at once, files that
nobody has used lately, is available, as `docker stats` and kubelet count. Where the controller is one of version 1 and
is not mounted, the limit cannot be seen. Formats: proc(5), cgroups(7), cgroup-v2.rst and cgroup-v1/memory.rst of Linux.
"""

from __future__ import annotations

import os

from infratest.cleaning import decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import lines, number
from infratest.facts.base import Answer, Argument, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


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

    def in_words(self) -> str:
        from infratest.units import human

        swap = f"swap {human(self.swap_free, 'B')} of {human(self.swap_total, 'B')} free"
        return f"{human(self.available, 'B')} of {human(self.total, 'B')} available, {swap}"


FIELDS = ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")

#: What a line of memory.stat is called that tells what of a group can be given back, by version; the ancestors' limit.
RECLAIMABLE = {2: "inactive_file", 1: "total_inactive_file"}
LIMIT, BOTH = "hierarchical_memory_limit", "hierarchical_memsw_limit"

#: What version 1 has for no limit is near to this, less a page or so.
UNLIMITED = 2**62

CGROUP = "/sys/fs/cgroup"
HIDDEN = (
    "whether a control group limits the memory of this host cannot be seen: the controller is one of version 1 and not "
    "mounted; mount it (mount -t cgroup -o memory none FOLDER)"
)

# All by the shell itself. Lines of `key: number`, those of the machine in KiB, those of the group in bytes.
SNIPPET = (
    r"""
while read -r key value unit; do
  case $key in
    MemTotal: | MemAvailable: | SwapTotal: | SwapFree:) echo "$key $value" ;;
  esac
done </proc/meminfo
group() {
  read -r used <"$2" || exit 1
  echo "Used: $used"
  while read -r key value; do
    case $key in
      "$3") echo "Reclaimable: $value" ;;
      LIMIT) echo "Limit: $value" ;;
      BOTH) echo "Both: $value" ;;
    esac
  done <"$1/memory.stat"
}
one() {
  [ -e "$2" ] || return 0
  read -r value <"$2" || exit 1
  [ "$value" = max ] || echo "$1: $value"
}
if [ -e CGROUP/memory.max ]; then
  one Limit CGROUP/memory.max
  one SwapLimit CGROUP/memory.swap.max
  one SwapUsed CGROUP/memory.swap.current
  group CGROUP CGROUP/memory.current inactive_file
  exit 0
fi
place=
while read -r device point type options rest; do
  case $type,$options, in
    cgroup,*,memory,*) [ ! -e "$point/memory.usage_in_bytes" ] || place=$point ;;
  esac
done </proc/self/mounts
if [ -n "$place" ]; then
  group "$place" "$place/memory.usage_in_bytes" total_inactive_file
  one BothUsed "$place/memory.memsw.usage_in_bytes"
elif [ -r /proc/self/cgroup ]; then
  while read -r row; do
    case ,$row in
      *[:,]memory[:,]*) echo "Hidden: 1" ;;
    esac
  done </proc/self/cgroup
fi
exit 0
""".replace("LIMIT", LIMIT)
    .replace("BOTH", BOTH)
    .replace("CGROUP", CGROUP)
)


class MemoryFact(LooksHere):
    """Memory."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = [row.partition(": ") for row in lines(self.readable(answer).out)]
        return dict.fromkeys(arguments, _memory({key: number(value, key) for key, _, value in rows}))

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        try:
            rows = [row.split() for row in lines(decoded(_machine.whole("/proc/meminfo")))]
            numbers = {row[0].removesuffix(":"): number(row[1], row[0]) for row in rows if len(row) > 1}
            return dict.fromkeys(arguments, _memory(numbers | _group_here()))
        except OSError:
            return None


def _group_here() -> dict[str, int]:
    """Return what is seen of the control group that limits this machine. Raises OSError where it cannot be read."""
    if os.path.exists(f"{CGROUP}/memory.max"):
        return {
            **_group(CGROUP, "memory.current", RECLAIMABLE[2]),
            **_one("Limit", f"{CGROUP}/memory.max"),
            **_one("SwapLimit", f"{CGROUP}/memory.swap.max"),
            **_one("SwapUsed", f"{CGROUP}/memory.swap.current"),
        }
    places = [
        decoded(fields[1])
        for fields in _machine.mount_rows(_machine.whole("/proc/self/mounts"))
        if fields[2] == b"cgroup" and b"memory" in fields[3].split(b",")
    ]
    there = [place for place in places if os.path.exists(f"{place}/memory.usage_in_bytes")]
    if there:
        both = _one("BothUsed", f"{there[-1]}/memory.memsw.usage_in_bytes")
        return _group(there[-1], "memory.usage_in_bytes", RECLAIMABLE[1]) | both
    rows = _machine.whole("/proc/self/cgroup").split(b"\n")
    return {"Hidden": 1} if any(b"memory" in row.split(b":")[1].split(b",") for row in rows if b":" in row) else {}


def _group(folder: str, used: str, reclaimable: str) -> dict[str, int]:
    stat = dict(row.split(" ", 1) for row in lines(decoded(_machine.whole(f"{folder}/memory.stat"))) if " " in row)
    told = {"Used": decoded(_machine.whole(f"{folder}/{used}")), "Reclaimable": stat.get(reclaimable, "")}
    told |= {key: stat[name] for key, name in (("Limit", LIMIT), ("Both", BOTH)) if name in stat}
    return {key: number(text.strip(), key) for key, text in told.items() if text}


def _one(key: str, path: str) -> dict[str, int]:
    """Return what the one number in a file says; nothing where there is no limit, or no such file."""
    if not os.path.exists(path):
        return {}
    text = decoded(_machine.whole(path)).strip()
    return {} if text == "max" else {key: number(text, path)}


def _memory(numbers: Mapping[str, int]) -> Memory:
    missing = [field for field in FIELDS if field not in numbers]
    if missing:
        # MemAvailable came with Linux 3.14; a guess from free and cached would be another number.
        raise FactError(f"/proc/meminfo does not tell {', '.join(missing)}")
    if "Hidden" in numbers:
        raise FactError(HIDDEN)
    total, available, swap_total, swap_free = (numbers[field] * 1024 for field in FIELDS)
    limited = numbers.get("Limit", total) < total
    if limited:
        absent = [key for key in ("Used", "Reclaimable") if key not in numbers]
        if absent:
            raise FactError("the files of the control group that limits the memory of this host are not understood")
        total = numbers["Limit"]
        available = max(0, min(available, total - (numbers["Used"] - numbers["Reclaimable"])))
    swap, used = _swap(numbers)
    swap_limited = swap is not None and swap < swap_total
    if swap is not None and swap_limited:
        swap_total, swap_free = swap, max(0, min(swap_free, swap - used))
    return Memory(total, available, swap_total, swap_free, limited, swap_limited)


def _swap(numbers: Mapping[str, int]) -> tuple[int | None, int]:
    """Return how much swap a control group allows (None: all there is), and how much of it is used.

    Version 1 knows memory and swap together, and memory alone.
    """
    if numbers.get("Both", UNLIMITED) < UNLIMITED:
        used = numbers.get("BothUsed", 0) - numbers.get("Used", 0)
        return max(0, numbers["Both"] - numbers.get("Limit", 0)), max(0, used)
    return numbers.get("SwapLimit"), numbers.get("SwapUsed", 0)
