"""The healing mark: on a host that is being healed, who heals it and until when. It keeps two healers from one fault.

Two pollers that watch the same hosts have a state directory each, so what tells them of each other is on the host: a
symbolic link in its run-time folder, whose target is the text. Making one is a single step that one of two takers
wins, needs no room on a disk for data, and /run is empty after a boot. Its end is by the host's own clock since boot.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from infratest.cleaning import clean, decoded
from infratest.deadline import Deadline
from infratest.errors import HealError, InfratestError, TransportError
from infratest.hosts import Host
from infratest.store.directory import StateDir, owner
from infratest.transports.base import Transport

#: Seconds between two looks at the mark of another healer.
AGAIN = 0.25
#: Seconds that a mark outlives the remedy's own time, for looking whether it helped.
AFTER = 30
#: What stands for the result that has been helped where there is none.
NOBODY = "-"

#: Finds the folder: root's /run, else the login's own run-time folder (XDG Base Directory), else its home.
#: $1 name, $2 folder where another is to be taken. Leaves boot (b), seconds since boot (u) and the link's path (l).
PLACE = """umask 077
b=$(cat /proc/sys/kernel/random/boot_id) && read -r u rest </proc/uptime || { echo no clock since boot >&2; exit 90; }
u=${u%%.*} d=$2
if [ -z "$d" ]; then
    if [ "$(id -u)" = 0 ]; then d=/run; else d=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}; fi
    [ -w "$d" ] || d=${HOME:-/nonexistent}/.cache
fi
d=$d/infratest; mkdir -p "$d" || exit 91
l=$d/healing-$1
"""
#: $6 seconds that what was done by the rule $5 has yet to take effect: it stands as long as that; 0 takes away what we
#: ourselves have put there, and - leaves it: nothing was done. $3 by whom, $4 how that ends, $7 the result that it has
#: helped already, or -. Where there is no room for a new one the old one stays.
SETTLES = """s=$l.settles-$5
case $6 in -) ;; 0) case $(readlink "$s") in *" $4") rm -f "$s" ;; esac ;;
*) rm -f "$s.new"; ln -s "$b $((u + $6)) $7 $3" "$s.new" && mv -f "$s.new" "$s" ;; esac
"""
#: Says `held <seconds left> <by whom>`, `settles <seconds left> <who did it>` where what another has done by the rule
#: has yet to take effect on more than the result $9 (empty: that is not asked), or `taken <seconds since the last
#: healer ended, or -> <who that was>`. $3 to $7 as above, where there is anything to put; $8 seconds until its end.
#: One of our own is what a killed run has left, since whoever takes a mark holds the lock of its state directory. One
#: whose end has passed goes by the maker of a second link; it may go between our step, which it made fail, and our look
#: at what was in the way: then the step is tried again.
TAKE = f"""{PLACE}case $(readlink "$l") in *" $4") rm -f "$l" ;; esac
old=$(readlink "$l")
if [ -n "$old" ]; then
    end=${{old#* }} end=${{end%% *}}
    if [ "${{old%% *}}" = "$b" ] && [ "$end" -gt "$u" ]; then echo "held $((end - u)) ${{old#* * }}"; exit 0; fi
    ln -s x "$l.over-$end" 2>/dev/null && [ "$(readlink "$l")" = "$old" ] && rm -f "$l"
fi
did=; [ -z "$9" ] || did=$(readlink "$l.settles-$5")
case $did in *" $4") ;; "$b "*" $9 "*) ;; "$b "*)
    end=${{did#* }} end=${{end%% *}}
    if [ "$end" -gt "$u" ]; then echo "settles $((end - u)) ${{did#* * * }}"; exit 0; fi
esac
tries=0
until words=$(ln -s "$b $((u + $8)) $3" "$l" 2>&1); do
    [ -L "$l" ] && {{ echo "held 1 another healer"; exit 0; }}
    tries=$((tries + 1))
    [ $tries -lt 3 ] || {{ echo "$words" >&2; exit 92; }}
done
rm -f "$l".over-*
case $6 in -|0) ;; *) {SETTLES} ;; esac
last=$(readlink "$l.last")
case $last in "$b "*" $4") last= ;; esac
[ "${{last%% *}}" = "$b" ] || {{ echo "taken - -"; exit 0; }}
last=${{last#* }}; echo "taken $((u - ${{last%% *}})) ${{last#* }}"
"""
#: Another's mark stays. That we have ended is there before the mark is gone: whoever takes it looks again. So is for
#: how long what was done has yet to take effect.
GIVE_BACK = f"""{PLACE}rm -f "$l.last"; ln -s "$b $u $3" "$l.last"
{SETTLES}case $(readlink "$l") in *" $3") rm -f "$l" ;; esac
"""


def healer(state: StateDir) -> str:
    """Return who heals from a state directory, as a mark says it.

    That is this very directory, on this machine since its boot: a copy has the same id, and its live mark is none that
    a killed run of ours has left.
    """
    id, info = state.id, state.path.stat()
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        boot = ""
    place = f"{boot} {info.st_dev} {info.st_ino}"
    return f"{id}-{hashlib.sha256(place.encode()).hexdigest()[:12]}"


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What came of taking the mark.

    Args:
        held: who has it, or who did what has yet to take effect, in words; empty where we have. waited: another healer
        had it, or ended since `looked`.
        problem: why no mark could be put, or empty.
    """

    held: str = ""
    waited: bool = False
    problem: str = ""


class Mark:
    """The mark of one host, for one act.

    Args:
        name: what is healed, alike for all who heal it. rule: that does. healer: who we are, by `healer`.
        folder: where marks are kept; empty for the host's own. again: opens a new connection, where the host has booted
        since, or is another one.
    """

    def __init__(
        self, transport: Transport | None, host: Host, name: str, rule: str, healer: str, folder: str = "",
        again: Callable[[Deadline], Transport] | None = None,
    ) -> None:  # fmt: skip
        self._transport = transport
        self._host = host
        self._name, self._rule = _file_name(name), _file_name(rule)
        self._healer = healer
        self._who = f"{clean(owner(), 60)} process {os.getpid()} rule {rule} {healer}"
        self._folder = folder
        self._again = again
        self._until = Deadline(0.0)
        #: None as long as nothing was done here of which anything could take effect.
        self._settles: Deadline | None = None
        self._helped = NOBODY
        self._ours = self._moved = self._kept = False
        #: A connection of our own, to the host as it is since.
        self._since: Transport | None = None

    def settles(self, seconds: float) -> None:
        """Have other healers leave alone for so long what is done here, once that is kept or the mark given back.

        It stands until its end, whatever ends us, unless that is set to 0: then it is known not to help.
        """
        self._settles = Deadline(seconds)

    def keep(self, deadline: Deadline) -> None:
        """Put on the host at once that what is done has yet to take effect, where it has.

        Whether it could be is not told: then it is tried again as the mark is given back.
        """
        if self._ours and not self._kept and self._takes_effect:
            self._kept = True
            self._do(f"{PLACE}{SETTLES}", deadline)

    @property
    def _takes_effect(self) -> bool:
        return self._settles is not None and not self._settles.passed

    def helped(self, result: str) -> None:
        """What is done here has helped the result that it was for. It may have yet to help others of the host.

        Args:
            result: its id.
        """
        self._helped = _short(result)

    def settled(self, deadline: Deadline) -> None:
        """Put on the host what is known since of what we have done before, by `settles` and `helped`.

        Where nothing was said it has nothing more to take effect.
        """
        self._settles = Deadline(0.0) if self._settles is None else self._settles
        try:
            self._do(f"{PLACE}{SETTLES}", deadline)
        finally:
            self._close()

    def take(self, seconds: float, looked_ago: Callable[[], float], wait: Deadline, result: str = "") -> Taken:
        """Put the mark on the host, waiting for another healer's end.

        Args:
            seconds: that it holds. looked_ago: seconds since the fault was seen. wait: for how long another is waited
            for. result: id of what is to be healed: not while what another has done by the same rule has yet to take
            effect, unless it has helped that already.
        """
        if self._transport is None:
            self._until = Deadline(seconds)
            return Taken(problem=f"{self._host.name} cannot be connected to")
        return self._taken(self._transport, seconds, looked_ago, wait, _short(result) if result else "")

    def _taken(
        self, transport: Transport, seconds: float, looked_ago: Callable[[], float], wait: Deadline, ask: str = ""
    ) -> Taken:
        self._until = Deadline(seconds)
        waited = False
        while True:
            try:
                answer = self._run(transport, TAKE, str(int(seconds) + AFTER), ask)
                word, number, who = answer.split(" ", 2)
            except (TransportError, HealError, ValueError) as error:
                return Taken(problem=clean(str(error), 200))
            if word == "taken":
                self._ours = True
                ended_since = number != "-" and int(number) <= looked_ago() + 1.0
                return Taken(waited=waited or ended_since)
            if word == "settles":
                words = f"what {clean(who, 120)} has done to {self._host.name} has {number} s more to take effect"
                return Taken(held=words)
            waited = True
            if wait.passed:
                return Taken(
                    held=f"{self._host.name} is being healed by {clean(who, 120)}, for at most {number} s more"
                )
            time.sleep(min(AGAIN, wait.left))

    def follow(self, transport: Transport, settles: float = 0.0) -> None:
        """Put it again by a new connection: since a boot it is gone, and what answers may be another machine.

        Whether it could be is not told: the act has begun.

        Args:
            settles: seconds that the act has to take effect from now on. Nobody may have the time for a further
            connection once it has ended.
        """
        self._close()
        self._transport, self._moved, known = None, True, self._settles
        self._settles = Deadline(settles)
        try:
            taken = self._taken(transport, self._until.left, lambda: 0.0, Deadline(0.0))
        finally:
            self._settles = known
        self._ours = taken.held == "" or self._ours
        self._kept = not (taken.held or taken.problem)

    def renew(self, seconds: float, wait: Deadline) -> str:
        """Put it again where it ends sooner than in so many seconds, for what is done since the act.

        Args:
            wait: for how long another healer is waited for.
        Returns:
            Who has taken it meanwhile, in words; empty where nobody has, or nobody can tell.
        """
        if not self._ours or self._until.left + AFTER >= seconds:
            return ""
        try:
            there = self._connected(wait)
        except InfratestError:
            return ""
        return self._taken(there, seconds, lambda: 0.0, wait).held

    def give_back(self, deadline: Deadline) -> None:
        """Take the mark away; where the host does not answer any more its end does."""
        if not self._ours:
            return
        self._ours = False
        try:
            self._do(GIVE_BACK, deadline)
        finally:
            self._close()

    def _do(self, script: str, deadline: Deadline) -> None:
        """Run a script on the host as it is now, if it answers.

        Where something has yet to take effect and the connection has ended, as by a boot, another one is made.
        """
        first = deadline.at_most(deadline.left / 2) if self._takes_effect else deadline
        for limit in (first, deadline):
            try:
                self._run(self._connected(limit), script, deadline=limit)
                return
            except HealError:  # it has answered, or there is no way to it
                return
            except InfratestError:
                if limit is deadline or not self._takes_effect or not self._moves(deadline):
                    return

    def _moves(self, deadline: Deadline) -> bool:
        """Take a new connection, where one comes about: the one that there is may only have been slow."""
        if self._again is None:
            return False
        try:
            since = self._again(deadline)
        except InfratestError:
            return False
        self._close()
        self._since, self._moved = since, True
        return True

    def _connected(self, deadline: Deadline) -> Transport:
        if self._moved and self._again is not None and self._since is None:
            self._since = self._again(deadline)
        there = self._since if self._moved else self._transport
        if there is None:
            raise HealError("not connected")
        return there

    def _close(self) -> None:
        """Close the connection of our own."""
        if self._since is not None:
            self._since.close()
            self._since = None

    def _run(self, transport: Transport, script: str, *more: str, deadline: Deadline | None = None) -> str:
        limit = Deadline(10.0) if deadline is None else deadline
        about = (
            self._name,
            self._folder,
            self._who,
            self._healer,
            self._rule,
            "-" if self._settles is None else str(ceil(self._settles.left)),
            self._helped,
        )
        answer = transport.run(["sh", "-c", script, "sh", *about, *more], limit, sudo=self._host.sudo)
        if answer.exit != 0:
            raise HealError(clean(decoded(answer.stderr), 200) or f"exit {answer.exit}")
        return decoded(answer.stdout).strip()


def _short(id: str) -> str:
    """Return what stands for the id of a result in a mark."""
    return hashlib.sha256(id.encode()).hexdigest()[:12]


def _file_name(text: str) -> str:
    return "".join(character if character.isalnum() else "_" for character in text)[:120]
