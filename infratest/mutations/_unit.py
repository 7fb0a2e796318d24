"""Units stopped for a while, with what would start them again; what several subjects' faults do."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations.base import ScriptAct

#: Of the units in `units` those that run are noted, with what starts one by itself (a socket), and stopped.
STOPPED = """for unit in $units; do units="$(systemctl show -p TriggeredBy --value -- "$unit") $units"; done
for unit in $units; do
  ! systemctl is-active -q -- "$unit" || printf '%s\\n' "$unit" >>"$1.part"
done
[ -s "$1.part" ] || { echo "nothing of it runs as a unit of systemd" >&2; exit 1; }
mv -- "$1.part" "$1"
systemctl stop -- $units"""
STARTED = """if [ -s "$1" ]; then
  while read -r unit; do systemctl start -- "$unit"; done <"$1"
fi
rm -f -- "$1" "$1.part\""""
#: $pids: processes. The unit that each is in, by its control group, and for systemd's own the sockets of a port.
UNITS = """for pid in $pids; do
  if [ "$pid" = 1 ]; then
    for unit in $(systemctl list-units --type=socket --plain --no-legend | cut -d ' ' -f 1); do
      ! systemctl show -p Listen --value -- "$unit" | grep -q ":$2 " || units="$units $unit"
    done
    continue
  fi
  unit=$(sed -n 's,^.*/\\([^/]*\\.service\\)\\(/.*\\)\\{0\\,1\\}$,\\1,p' "/proc/$pid/cgroup" | tail -n 1)
  case " $units " in *" $unit "*) ;; *) units="$units $unit" ;; esac
done
"""


def stopped(words: str, find: str, *arguments: str) -> Act:
    """Return what stops units, and starts them after it.

    Args:
        find: lines of shell that put their names into `units`, from the arguments.
    """
    return ScriptAct(words, f"{find}\n{STOPPED}", STARTED, arguments)
