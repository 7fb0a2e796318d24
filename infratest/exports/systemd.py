"""`systemd`: the monitor as a unit of systemd, and `infratest check` by a timer for who has another monitor.

Words of a command line are in double quotes there; `%` begins a specifier and `$` a variable, each is written twice.
Source: systemd.service(5) "Command lines", systemd.syntax(7) "Quoting".
"""

from __future__ import annotations

import pwd
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.exports._machine import Machine
from infratest.exports.base import Export, Left, What, Written, installed, number, one_line
from infratest.options import WORD

#: A path that `StateDirectory=` has, which takes several with blanks between: plain names below /var/lib.
BELOW = re.compile(r"/var/lib/([A-Za-z0-9_-][A-Za-z0-9._@-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._@-]*)*)/?")


@dataclass(frozen=True, kw_only=True)
class Options:
    """How the units run."""

    program: str = field(
        default="",
        metadata={"description": "The path of infratest where the units run; without it, the one of this program."},
    )
    user: str = field(
        default="",
        metadata={
            "pattern": f"{WORD}|^$",
            "title": "a user's name",
            "description": "As whom it runs; root without it.",
        },
    )
    state: str = field(
        default="",
        metadata={
            "description": "The state directory, which that user may write to; below /var/lib systemd makes it for it. "
            "Without it, that of --state, which stays its owner's."
        },
    )
    metrics: str = field(
        default="/var/lib/prometheus/node-exporter",
        metadata={"description": "The folder of a node exporter's textfile collector; empty for no metrics."},
    )
    heal: bool = field(
        default=True,
        metadata={"description": "Whether the monitor heals what it finds, where there is a heal rule for any of it."},
    )
    watchdog: float = field(
        default=60.0,
        metadata={
            "dimension": "time",
            "low": 1.0,
            "description": "A monitor that is silent for so long is ended and started again.",
        },
    )


class Systemd(Export):
    """Units of systemd."""

    summary = "the monitor as a unit of systemd, and checks by a timer"

    def write(self, what: What, folder: Path) -> Written:
        monitor, check = f"infratest-monitor-{what.place}", f"infratest-check-{what.place}"
        units = {
            f"{monitor}.service": self._monitor(what),
            f"{check}.service": self._check(what),
            f"{check}.timer": TIMER.format(place=plain(what.place), interval=number(what.policy.interval)),
        }
        return Written(
            {name: self.heading(what) + unit for name, unit in units.items()},
            next="copy them into /etc/systemd/system; then one of the two: "
            f"`systemctl enable --now {monitor}.service`, or `systemctl enable --now {check}.timer`",
            left=self._not_made(what),
        )

    def validate(self, files: Mapping[str, str], machine: Machine, deadline: Deadline) -> str:
        program = machine.found("systemd-analyze", package="systemd")
        with machine.laid_out(files, deadline) as folder:
            machine.done([program, "verify", "--man=no", *(f"{folder}/{name}" for name in files)], deadline, folder)
        return f"systemd-analyze verify takes it: {len(files)} units"

    def _words(self, what: What, *words: str) -> list[str]:
        program = self.options.program or installed("infratest")
        return [program, *words, *what.here, *what.state_words(self.options.state)]

    def _whose(self, what: What) -> str:
        """Return as whom it runs, and that systemd is to make the state directory where it makes such: /var/lib."""
        user = f"User={plain(self.options.user)}\n" if self.options.user else ""
        made = BELOW.fullmatch(self.options.state or what.state)
        if not made or self._not_made(what):
            return user
        return f"{user}StateDirectory={made[1]}\nStateDirectoryMode=0700\n"

    def _not_made(self, what: What) -> list[Left]:
        """Return that systemd makes no state directory of one that is another user's, and not said to be the unit's.

        It would give that user's folder away, with all that is in it: systemd.exec(5), "StateDirectory=".
        """
        user, owner = self.options.user or "root", _owner(what.state)
        if self.options.state or not BELOW.fullmatch(what.state) or owner in ("", user):
            return []
        words = f"of the user {owner}, whose it stays: let {user} write there, or name another by -o state=DIR"
        return [Left(what.state, words)]

    def _monitor(self, what: What) -> str:
        return MONITOR.format(
            place=plain(what.place),
            command=command(self._words(what, "monitor", "run", *self._heals(what))),
            whose=self._whose(what),
            watchdog=number(self.options.watchdog),
        )

    def _heals(self, what: What) -> list[str]:
        return ["--heal"] if self.options.heal and any(watch.heals for watch in what.watches) else []

    def _check(self, what: What) -> str:
        words = [*self._words(what, "check"), "--timeout", f"{number(what.policy.interval)}s"]
        if self.options.metrics:
            words += ["--format", "nagios", "--format", f"prometheus:{self.options.metrics}/{what.name}.prom"]
        return CHECK.format(place=plain(what.place), command=command(words), whose=self._whose(what))


def _owner(path: str) -> str:
    """Return who owns a folder; nothing where there is none."""
    try:
        uid = Path(path).stat().st_uid
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"that nobody can tell ({error.strerror})"
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def plain(text: str) -> str:
    """Return text as the value of a setting. Raises UserError: no line can hold it."""
    return one_line(text, "the value of a unit").replace("%", "%%")


def command(words: Sequence[str]) -> str:
    """Return a command line.

    Raises:
        UserError: a word that no line can hold, or a program whose path systemd does not take.
    """
    program, *rest = words
    if not program.startswith("/") or set(program) & set("'\"\\"):
        raise UserError(f"systemd takes no program {program!r}: its path is absolute, without quotes and backslashes")
    return " ".join([_word(program), *(_word(word).replace("$", "$$") for word in rest)])


def _word(word: str) -> str:
    """Return a word in quotes. In a program's path no variable is replaced, so `$` stays as it is there."""
    return '"' + plain(word).replace("\\", "\\\\").replace('"', '\\"') + '"'


MONITOR = """[Unit]
Description=infratest monitor of {place}
Documentation=man:infratest(1)
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
NotifyAccess=main
{whose}ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec={watchdog}
Restart=always
RestartSec=5
TimeoutStopSec=10

[Install]
WantedBy=multi-user.target
"""
CHECK = """[Unit]
Description=infratest check of {place}
Documentation=man:infratest(1)
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
{whose}ExecStart={command}
"""
TIMER = """[Unit]
Description=infratest check of {place}, again and again

[Timer]
OnActiveSec=1
OnUnitActiveSec={interval}
AccuracySec=1

[Install]
WantedBy=timers.target
"""
