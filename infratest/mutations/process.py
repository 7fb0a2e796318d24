"""Faults of processes: the unit that they are in is stopped, or others of their name run."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._unit import UNITS, stopped
from infratest.mutations.base import Claim, Fault, ScriptAct, outside

#: $2: the name, as the kernel keeps it.
NAMED = """units=
pids=$(grep -lxF -- "$(printf '%s' "$2" | cut -c 1-15)" /proc/[0-9]*/comm 2>/dev/null | cut -d / -f 3)
"""
#: $2: the name, $3: the uid, $4: how many. A copy of `sleep` of that name.
RUNS = """mkdir -m 0755 -- "$1"
cp -- "$(command -v sleep)" "$1/$2"
i=0
while [ $i -lt "$4" ]; do
  setsid setpriv --reuid "$3" --clear-groups -- "$1/$2" 3600 </dev/null >/dev/null 2>&1 &
  echo $! >>"$1/.pids"
  i=$((i + 1))
done"""
ENDED = """if [ -d "$1" ]; then
  [ ! -s "$1/.pids" ] || while read -r pid; do
    ! grep -qF -- "$1/$2" "/proc/$pid/cmdline" 2>/dev/null || kill -KILL "$pid"
  done <"$1/.pids"
  rm -rf -- "$1"
fi"""
#: Processes that are started at most.
MOST = 50


def running(claim: Claim) -> Act | str:
    """Stop them, or run one."""
    if claim.negated:
        return started(claim.check.name, "0", 1)
    return stopped(f"the unit of {claim.check.name} is stopped", f"{NAMED}{UNITS}", claim.check.name)


def user(claim: Claim) -> Act | str:
    """Run one as somebody else."""
    if claim.negated:
        return "who all of them would have to run as is not known"
    return started(claim.check.name, "1" if claim.check.user in ("nobody", "65534") else "65534", 1)


def count(claim: Claim) -> Act | str:
    """Run more, or stop them."""
    if claim.bound is not None and not claim.bound.holds(0):
        return stopped(f"the unit of {claim.check.name} is stopped", f"{NAMED}{UNITS}", claim.check.name)
    number = outside(claim.bound) if claim.bound else None
    if number is None or number > MOST:
        return f"up to {MOST} processes more are in the bound"
    return started(claim.check.name, "0", int(number) + 1)


def started(name: str, uid: str, number: int) -> Act | str:
    """Return what runs processes of a name."""
    if "/" in name or name.startswith("-"):
        return "only what is named by its file's name can be run"
    words = f"{number} process{'es' if number > 1 else ''} {name} more run{'' if number > 1 else 's'} as uid {uid}"
    return ScriptAct(words, RUNS, ENDED, (name, uid, str(number)))


FAULTS: dict[str, Fault] = {"ProcessRunning": running, "ProcessUser": user, "ProcessCount": count}
