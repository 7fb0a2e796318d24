"""The fact `virtualization`: whether a host is a container or a virtual machine, and of which kind. It has no argument.

systemd-detect-virt knows where it is there. Else it is told by files: what container engines leave in their containers
(https://systemd.io/CONTAINER_INTERFACE), what a hypervisor writes as the maker of the machine (/sys/class/dmi/id), and
the processor's flag `hypervisor`. The words are systemd-detect-virt(1)'s.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import ONE_LINE, PUT, lines, unescaped
from infratest.facts.base import Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class Virtualization(Record):
    """What a host is run by: of a container its engine, of a virtual machine its hypervisor.

    `container`, `machine`: empty where it is none; None where that cannot be known.
    """

    container: str | None
    machine: str | None

    def in_words(self) -> str:
        container, machine = ("not known" if one is None else one or "no" for one in (self.container, self.machine))
        return f"container: {container}, virtual machine: {machine}"


#: How the maker or product of a machine begins -> its hypervisor: systemd, src/basic/virt.c.
MAKERS = {
    "KVM": "kvm", "OpenStack": "kvm", "KubeVirt": "kvm", "Amazon EC2": "amazon", "QEMU": "qemu", "VMware": "vmware",
    "VMW": "vmware", "innotek GmbH": "oracle", "VirtualBox": "oracle", "Oracle Corporation": "oracle", "Xen": "xen",
    "Bochs": "bochs", "Parallels": "parallels", "BHYVE": "bhyve", "Hyper-V": "microsoft",
    "Apple Virtualization": "apple", "Google Compute Engine": "google",
}  # fmt: skip

# Lines: `vm WORD` and `in WORD` of systemd-detect-virt; else `file WORD` of what an engine left, `first yes|no` of what
# the first process was told, `maker WORDS`, `flag` and `x86`; `done`.
SNIPPET = r"""
if command -v systemd-detect-virt >/dev/null 2>&1; then
  put "vm $(systemd-detect-virt --vm)$nl"
  put "in $(systemd-detect-virt --container)$nl"
  echo done
  exit 0
fi
[ ! -e /.dockerenv ] || echo 'file docker'
[ ! -e /run/.containerenv ] || echo 'file podman'
if [ -r /run/systemd/container ]; then
  line=
  read -r line </run/systemd/container
  one_line "$line"
  put "file $line$nl"
fi
if words=$(tr '\0' '\n' 2>/dev/null </proc/1/environ); then
  case $nl$words in
  *"${nl}container="*)
    line=${words##*container=}
    put "file ${line%%"$nl"*}$nl"
    ;;
  esac
  echo first
fi 2>/dev/null
for path in product_name sys_vendor board_vendor bios_vendor; do
  path=/sys/class/dmi/id/$path
  [ -r "$path" ] || continue
  line=
  read -r line <"$path"
  put "maker $line$nl"
done
while read -r name line; do
  case $name in
  flags)
    echo x86
    case "$line " in
    *' hypervisor '*) echo flag ;;
    esac
    break
    ;;
  esac
done </proc/cpuinfo
echo done
"""


class VirtualizationFact(Fact):
    """Containers and virtual machines."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return ONE_LINE + PUT + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if not rows or rows[-1] != "done":
            raise FactError(f"the answer about virtualization is not understood: {cited(answer.out, 80)}")
        told: dict[str, list[str]] = {}
        for row in rows[:-1]:
            mark, _, word = row.partition(" ")
            told.setdefault(mark, []).append(unescaped(word))
        if "vm" in told or "in" in told:
            words = [told.get(mark, [""])[0] for mark in ("in", "vm")]
            if not all(word and " " not in word for word in words):
                raise FactError(f"systemd-detect-virt answers what is not understood: {words}")
            container, machine = ("" if word == "none" else word for word in words)
            return dict.fromkeys(arguments, Virtualization(container, machine))
        return dict.fromkeys(arguments, Virtualization(_container(told), _hypervisor(told)))


def _container(told: Mapping[str, Sequence[str]]) -> str | None:
    """Return the engine of a container; empty where the first process was told of none, None where that is hidden."""
    if left := [word for word in told.get("file", []) if word]:
        return left[-1]
    return "" if "first" in told else None


def _hypervisor(told: Mapping[str, Sequence[str]]) -> str | None:
    for words in told.get("maker", []):
        for beginning, hypervisor in MAKERS.items():
            if words.startswith(beginning):
                return hypervisor
    if "x86" in told:
        return "vm-other" if "flag" in told else ""
    return None
