"""Faults of services and timers: stopped, disabled, masked, or their unit's file put aside."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._unit import stopped
from infratest.mutations.base import Claim, Fault, ScriptAct

#: $2: the unit, $3: the verb, $4: its opposite.
MARKED = ': >"$1"\nsystemctl "$3" -- "$2"'
UNMARKED = '[ ! -e "$1" ] || { systemctl "$4" -- "$2"; rm -f -- "$1"; }'
#: $2: the unit. One that is neither enabled nor disabled (static) counts as enabled, and is masked.
DISABLED = """verb=enable
case $(systemctl is-enabled -- "$2" 2>/dev/null) in static | indirect | generated | alias) verb=unmask ;; esac
printf '%s\\n' "$verb" >"$1.part"; mv -- "$1.part" "$1"
if [ "$verb" = enable ]; then systemctl disable -- "$2"; else systemctl mask -- "$2"; fi"""
ENABLED = """if [ -s "$1" ]; then
  read -r verb <"$1"
  systemctl "$verb" -- "$2"
fi
rm -f -- "$1" "$1.part\""""
#: $2: the unit. The files it is read from are put aside, and a script of System V's, of which systemd makes a unit.
HIDDEN = """path=$(systemctl show -p FragmentPath --value -- "$2")
[ -f "$path" ] || { echo "$2 has no file" >&2; exit 1; }
for file in "$path" "/etc/init.d/${2%.service}"; do
  [ ! -f "$file" ] || printf '%s\\n' "$file" >>"$1.part"
done
mv -- "$1.part" "$1"
while read -r file; do mv -- "$file" "${file%/*}/.infratest-${file##*/}"; done <"$1"
systemctl daemon-reload"""
SHOWN = """if [ -s "$1" ]; then
  while read -r file; do
    kept=${file%/*}/.infratest-${file##*/}
    [ ! -e "$kept" ] || mv -- "$kept" "$file"
  done <"$1"
  systemctl daemon-reload
fi
rm -f -- "$1" "$1.part\""""
ADDED = """path=/run/systemd/system/$2
[ ! -e "$path" ] || { echo "$path is there already" >&2; exit 1; }
: >"$1"
mkdir -p /run/systemd/system
printf '[Service]\\nType=oneshot\\nExecStart=/bin/true\\n' >"$path"
systemctl daemon-reload"""
TAKEN = '[ ! -e "$1" ] || { rm -f -- "/run/systemd/system/$2" "$1"; systemctl daemon-reload; }'


def running(claim: Claim) -> Act | str:
    """Stop it, or start it."""
    unit = claim.check.full_name
    if claim.negated:
        return marked(unit, "start", "stop")
    return stopped(f"{unit} is stopped", "units=$2", unit)


def marked(unit: str, verb: str, back: str) -> Act:
    """Return what a verb of systemctl does, and its opposite undoes."""
    return ScriptAct(f"systemctl {verb} {unit}", MARKED, UNMARKED, (unit, verb, back))


def enabled(claim: Claim) -> Act | str:
    """Disable it, or enable it."""
    unit = claim.check.full_name
    if claim.negated:
        return marked(unit, "enable", "disable")
    return ScriptAct(f"{unit} is disabled", DISABLED, ENABLED, (unit,))


def masked(claim: Claim) -> Act | str:
    """Unmask it, or mask it."""
    verbs = ("mask", "unmask") if claim.negated else ("unmask", "mask")
    return marked(claim.check.full_name, *verbs)


def presence(claim: Claim) -> Act | str:
    """Put its file aside, or write one."""
    unit = claim.check.full_name
    if claim.negated:
        return ScriptAct(f"{unit} is written", ADDED, TAKEN, (unit,))
    return ScriptAct(f"the file of {unit} is put aside", HIDDEN, SHOWN, (unit,))


FAULTS: dict[str, Fault] = {
    "UnitExists": presence,
    "UnitRunning": running,
    "UnitEnabled": enabled,
    "UnitMasked": masked,
}
