"""Faults of what keeps a clock: chronyd follows nobody, or a source that is off. The clock itself is left alone.

chronyd runs with another configuration meanwhile, and with `-x`, so that it sets no clock. Both are gone with a boot.
"""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations.base import Claim, Fault, ScriptAct, outside

#: Debian's unit and others', and where chronyd has its configuration. `anew` waits for half as many seconds as it is
#: given for a first answer of a source: the next sentence is asked at once.
PLACES = """unit=chrony conf=/etc/chrony/chrony.conf
systemctl cat chrony.service >/dev/null 2>&1 || unit=chronyd
[ -f "$conf" ] || conf=/etc/chrony.conf
fault=$conf.infratest
drop=/run/systemd/system/$unit.service.d/zz-infratest.conf
anew() {
  systemctl daemon-reload
  systemctl reset-failed -- "$unit" 2>/dev/null || :
  systemctl restart -- "$unit"
  chronyc waitsync "$1" 0 0 0.5 >/dev/null 2>&1 || :
}"""
#: $2: a line that is added to all that names no source, $3: what is added to each source; empty where none is left.
MISLED = f"""{PLACES}
systemctl is-active -q -- "$unit" || {{ echo "chronyd does not run as a unit of systemd" >&2; exit 1; }}
program=$(systemctl show -p ExecStart --value -- "$unit" | sed -n 's/^{{ path=\\([^ ;]*\\).*/\\1/p' | head -n 1)
: >"$1"
words='server|pool|peer|refclock|local|manual|sourcedir|confdir|include|makestep|initstepslew'
grep -vE "^[[:space:]]*($words)([[:space:]]|\\$)" "$conf" >"$fault"
[ -z "$2" ] || printf '%s\\n' "$2" >>"$fault"
if [ -n "$3" ]; then
  folders=$(sed -nE 's/^[[:space:]]*(sourcedir|confdir)[[:space:]]+//p' "$conf")
  for file in "$conf" $(for folder in $folders; do printf '%s\\n' "$folder"/*.conf "$folder"/*.sources; done); do
    [ ! -f "$file" ] || sed -nE "s/^[[:space:]]*((server|pool|peer)[[:space:]].*)\\$/\\1 $3/p" "$file" >>"$fault"
  done
fi
mkdir -p "${{drop%/*}}"
printf '[Service]\\nExecStart=\\nExecStart=!%s -x -F 1 -f %s\\n' "$program" "$fault" >"$drop"
anew 5"""
AS_BEFORE = f"""if [ -e "$1" ]; then
  {PLACES}
  rm -f -- "$drop" "$fault"
  anew 40
  rm -f -- "$1"
fi"""
#: Strata that chronyd can be told to have (chrony.conf(5), `local`).
STRATA = range(1, 16)


def synchronised(claim: Claim) -> Act | str:
    """Have it follow nobody."""
    if claim.negated:
        return "whom it could follow is not known"
    return misled("chronyd has no source")


def offset(claim: Claim) -> Act | str:
    """Have it take each source for one that is off by too much."""
    other = outside(claim.bound) if claim.bound else None
    if not other:
        return "each time is in the bound, or none but zero"
    return misled(f"the sources of chronyd are {other:g} s off", each=f"iburst offset {other:g}")


def stratum(claim: Claim) -> Act | str:
    """Have it say of itself that it is of another stratum."""
    other = next((number for number in STRATA if claim.bound and not claim.bound.holds(number)), None)
    if other is None:
        return "strata from 1 to 15 are in the bound"
    return misled(f"chronyd follows nobody, and takes itself for one of stratum {other}", f"local stratum {other}")


def reachable(claim: Claim) -> Act | str:
    """Take all sources away."""
    if claim.bound is None or claim.bound.holds(0):
        return "other sources that answer are not known"
    return misled("chronyd has no source")


def misled(words: str, line: str = "", each: str = "") -> Act:
    """Return what has chronyd run with other sources."""
    return ScriptAct(words, MISLED, AS_BEFORE, (line, each))


FAULTS: dict[str, Fault] = {
    "ClockSynchronised": synchronised,
    "ClockOffset": offset,
    "ClockStratum": stratum,
    "ClockSourcesReachable": reachable,
}
