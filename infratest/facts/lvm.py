"""The fact `lvm`: volume groups and logical volumes of LVM. It has no argument.

`vgs` and `lvs` print them as JSON, sizes in bytes: vgs(8), lvs(8), lvmreport(7). Root alone may ask.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import FactError
from infratest.facts._shell import without_any
from infratest.facts.base import NO_TOOL, Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

GROUP_FIELDS = "vg_name,vg_size,vg_free,vg_missing_pv_count"
VOLUME_FIELDS = "vg_name,lv_name,lv_size,lv_active,data_percent,lv_health_status"
BETWEEN, END = "\n== volumes\n", "\n== end\n"

SNIPPET = f"""
[ "$(id -u)" = 0 ] || {{ echo 'LVM can be asked by root alone: set `sudo: true` for this host' >&2; exit {NO_TOOL}; }}
vgs --reportformat json --units b --nosuffix -o {GROUP_FIELDS} || exit 1
printf '\\n== volumes\\n'
lvs --reportformat json --units b --nosuffix -o {VOLUME_FIELDS} || exit 1
printf '\\n== end\\n'
"""


class Group(Record):
    """A volume group; sizes in bytes. `missing`: how many of its physical volumes are not there."""

    name: str
    size: int
    free: int
    missing: int

    def in_words(self) -> str:
        return self.name


class Volume(Record):
    """A logical volume.

    Args:
        size: in bytes. active: whether there is a device of it. used: how full it is in percent, of a thin pool, a thin
        volume or a snapshot; None of others. health: what is wrong with it in LVM's word (partial), else empty.
    """

    group: str
    name: str
    size: int
    active: bool
    used: float | None = None
    health: str = ""

    def in_words(self) -> str:
        return f"{self.group}/{self.name}"


class Lvm(Record):
    """What LVM has."""

    groups: tuple[Group, ...] = ()
    volumes: tuple[Volume, ...] = ()

    def in_words(self) -> str:
        groups = ", ".join(group.in_words() for group in self.groups) or "no volume group"
        volumes = ", ".join(volume.in_words() for volume in self.volumes) or "no logical volume"
        return f"{groups}; {volumes}"


class LvmFact(Fact):
    """Volume groups and logical volumes."""

    unseen = "LVM, written after lvmreport(7)"

    def ask(self, arguments: Sequence[Argument]) -> str:
        return without_any("vgs", "lvs") + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        first, between, rest = self.readable(answer).out.partition(BETWEEN)
        second, end, more = rest.partition(END)
        if not between or not end or more:
            raise FactError(f"the answer of vgs and lvs is not understood: {cited(answer.out, 80)}")
        try:
            groups = tuple(_group(row) for row in _rows(first, "vg"))
            volumes = tuple(_volume(row) for row in _rows(second, "lv"))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FactError(f"the answer of vgs and lvs is not understood: {beginning(str(error), 120)}") from None
        return dict.fromkeys(arguments, Lvm(groups, volumes))


def _rows(text: str, kind: str) -> Iterable[Mapping[str, str]]:
    from json import loads

    return [row for report in loads(text)["report"] for row in report[kind]]


def _group(row: Mapping[str, str]) -> Group:
    missing = int(row["vg_missing_pv_count"])
    return Group(row["vg_name"], int(row["vg_size"]), int(row["vg_free"]), missing)


def _volume(row: Mapping[str, str]) -> Volume:
    active, used = row["lv_active"], row["data_percent"]
    if active not in ("active", "", "inactive"):
        raise ValueError(f"a volume is {active!r}")
    percent = float(used) if used else None
    return Volume(
        row["vg_name"], row["lv_name"], int(row["lv_size"]), active == "active", percent, row["lv_health_status"]
    )
