"""The fact `reboot`: whether a host waits for a reboot. It has no argument.

Debian's and Ubuntu's packages leave a file, update-notifier's notify-reboot-required says which; of dnf
`needs-restarting -r` tells; and of any host the kernels that are installed, beside the one that runs.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import ONE_LINE, PUT, lines, number, unescaped
from infratest.facts.base import Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class Reboot(Record):
    """What a host says of a reboot.

    Args:
        required: whether a package has left the file that asks for one. packages: those that did, as far as they say.
        restarting: whether needs-restarting asks for one; None where that is not there or failed.
        running: the kernel that runs. kernels: those that are installed.
        told: whether the host has what leaves the file.
    """

    running: str
    required: bool = False
    packages: tuple[str, ...] = ()
    restarting: bool | None = None
    kernels: tuple[str, ...] = ()
    told: bool = False

    def in_words(self) -> str:
        asked = "asks for a reboot" if self.required or self.restarting else "asks for no reboot"
        return f"{asked}; runs {self.running}, installed are {', '.join(self.kernels) or 'no kernels'}"


# Lines: `required`, `package NAME`, `told`, `restarting STATUS`, `running RELEASE`, `kernel RELEASE`, `done`.
SNIPPET = r"""
for path in /run/reboot-required /var/run/reboot-required; do
  [ -e "$path" ] || continue
  echo required
  if [ -r "$path.pkgs" ]; then
    while read -r line; do
      one_line "$line"
      put "package $line$nl"
    done <"$path.pkgs"
  fi
  break
done
for path in /usr/share/update-notifier/notify-reboot-required /etc/kernel/postinst.d/unattended-upgrades; do
  [ ! -e "$path" ] || echo told
done
if command -v needs-restarting >/dev/null 2>&1; then
  needs-restarting -r >/dev/null 2>&1
  echo "restarting $?"
fi
read -r line </proc/sys/kernel/osrelease || exit 1
put "running $line$nl"
for path in /lib/modules/*; do
  line=${path##*/}
  [ ! -e "$path/vmlinuz" ] && [ ! -e "/boot/vmlinuz-$line" ] || put "kernel $line$nl"
done
echo done
"""


class RebootFact(Fact):
    """Whether hosts wait for a reboot."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return ONE_LINE + PUT + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        told: dict[str, list[str]] = {}
        for row in rows:
            mark, _, rest = row.partition(" ")
            told.setdefault(mark, []).append(unescaped(rest))
        if end != "done" or "running" not in told:
            raise FactError(f"the answer about a reboot is not understood: {cited(answer.out, 80)}")
        status = number(told["restarting"][0], "an exit status") if "restarting" in told else -1
        reboot = Reboot(
            running=told["running"][0],
            required="required" in told,
            packages=tuple(dict.fromkeys(told.get("package", ()))),
            restarting={0: False, 1: True}.get(status),
            kernels=tuple(told.get("kernel", ())),
            told="told" in told,
        )
        return dict.fromkeys(arguments, reboot)
